{{- define "voyado.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "voyado.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "voyado.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "voyado.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "voyado.selector" -}}
app.kubernetes.io/name: {{ include "voyado.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "voyado.labels" -}}
{{ include "voyado.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{- define "voyado.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "voyado.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name: must be given where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "voyado.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "voyado.subject" -}}
kind: ServiceAccount
name: {{ include "voyado.serviceAccount" . }}
namespace: {{ .Release.Namespace }}
{{- end }}

{{/* What the operator does with the objects of the namespaces that it serves. */}}
{{- define "voyado.rules" -}}
- apiGroups: [voyado-operator.io]
  resources: [segmentactivations, voyadoconnections]
  verbs: [get, list, watch, patch]       # patch: the finalizers
- apiGroups: [voyado-operator.io]
  resources: [segmentactivations/status, voyadoconnections/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [secrets]                   # API keys and warehouse URIs, by the name in the manifest
  verbs: [get]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}

{{/* Whether a monitoring kind is rendered, by metrics.renderMode. */}}
{{- define "voyado.monitoring" -}}
{{- $has := .root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" .kind) }}
{{- $mode := .root.Values.metrics.renderMode }}
{{- if and (eq $mode "failIfMissing") (not $has) }}
{{- fail (printf "metrics: the API server has no %s; install the Prometheus Operator, or set metrics.renderMode" .kind) }}
{{- end }}
{{- if or $has (eq $mode "render") }}yes{{ end }}
{{- end }}
