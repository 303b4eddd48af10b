"""Generates the CRDs from the models: `python -m voyado_operator.api.crd DIRECTORY`.

Pydantic's JSON schema is turned into a *structural* schema: references inlined, nulls and titles dropped, and, as
DESIGN 3 wants few schema defaults, every `default` left out but the one of `status`.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

from voyado_operator.api.activation import SPEC_RULES, SegmentActivationSpec
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.api.common import GROUP, VERSION, Resource
from voyado_operator.api.connection import VoyadoConnectionSpec, VoyadoConnectionStatus

Schema = dict[str, Any]
READY = ".status.conditions[?(@.type=='Ready')]"
DROPPED = {"title", "default", "$defs", "additionalProperties"}


def column(name: str, path: str, kind: str = "string", *, priority: int = 0, help_text: str = "") -> Schema:
    """One printer column; priority 1 shows it only with -o wide."""
    shown: Schema = {"name": name, "type": kind, "jsonPath": path}
    return shown | ({"priority": priority} if priority else {}) | ({"description": help_text} if help_text else {})


AGE = column("Age", ".metadata.creationTimestamp", "date")
CONNECTION_COLUMNS = [
    column("URL", ".spec.url"),
    column("Ready", f"{READY}.status"),
    column("Reason", f"{READY}.reason"),
    column("Activations", ".status.activations", "integer"),
    AGE,
    column("Message", f"{READY}.message", priority=1),
]
ACTIVATION_COLUMNS = [
    # One path for three kinds of target: kubectl prints whichever exists.
    column("Target", ".spec.target..['name','channel','id']"),
    column("Members", ".status.members", "integer"),
    column("Entering", ".status.diff.entering", "integer"),
    column("Leaving", ".status.diff.leaving", "integer"),
    column("Ready", f"{READY}.status"),
    column("Reason", f"{READY}.reason"),
    column("Last Run", ".status.lastRun.finishedAt", "date"),
    column("Next Run", ".status.nextRunTime"),
    AGE,
    column("Suspended", ".spec.suspend", "boolean", priority=1),
    column("Mode", ".spec.mode", priority=1),
    column("Message", f"{READY}.message", priority=1),
]


def structural(node: Any, definitions: Schema) -> Any:
    """A Pydantic schema node as the API server wants it."""
    if isinstance(node, list):
        return [structural(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[1]]
        node = target | {key: value for key, value in node.items() if key != "$ref"}
    if "anyOf" in node:
        node = chosen(node)
        if "$ref" in node:
            return structural(node, definitions)
    if "const" in node:
        node = {**{key: value for key, value in node.items() if key != "const"}, "enum": [node["const"]]}
    if "properties" in node:
        properties = {name: structural(child, definitions) for name, child in node["properties"].items()}
        node = {**node, "properties": properties}
    if "items" in node:
        node = {**node, "items": structural(node["items"], definitions)}
    return {key: value for key, value in node.items() if key not in DROPPED}


def chosen(node: Schema) -> Schema:
    """A node with alternatives as one: `X | None` is X; an integer or a pattern is an int-or-string."""
    outer = {key: value for key, value in node.items() if key != "anyOf"}
    options = [option for option in node["anyOf"] if option.get("type") != "null"]
    if len(options) == 1:
        inner = chosen(options[0]) if "anyOf" in options[0] else options[0]
        return {**inner, **outer}
    number, text = options
    return {
        **outer,
        "x-kubernetes-int-or-string": True,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "pattern": text["pattern"],
        "minimum": number["minimum"],
    }


def schema_of(model: type[Resource]) -> Schema:
    generated = model.model_json_schema(by_alias=True)
    schema: Schema = structural(generated, generated.get("$defs", {}))
    return schema


def crd(
    kind: str,
    plural: str,
    short_name: str,
    spec: Schema,
    status: Schema,
    columns: list[Schema],
    selectable: list[str],
) -> Schema:
    """A CustomResourceDefinition with a status subresource."""
    root = {
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            # A fresh object is "in progress" before the operator has seen it (kstatus).
            "status": {**status, "default": {"observedGeneration": -1}},
        },
    }
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": root},
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
        **({"selectableFields": [{"jsonPath": path} for path in selectable]} if selectable else {}),
    }
    names = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": plural,
        "singular": kind.lower(),
        "shortNames": [short_name],
        "categories": ["voyado"],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [version]},
    }


def connection_crd() -> Schema:
    spec, status = schema_of(VoyadoConnectionSpec), schema_of(VoyadoConnectionStatus)
    return crd("VoyadoConnection", "voyadoconnections", "vconn", spec, status, CONNECTION_COLUMNS, [])


def activation_crd() -> Schema:
    spec, status = schema_of(SegmentActivationSpec) | SPEC_RULES, schema_of(SegmentActivationStatus)
    selectable = [".spec.connectionRef.name"]
    return crd("SegmentActivation", "segmentactivations", "segact", spec, status, ACTIVATION_COLUMNS, selectable)


class WithoutAliases(yaml.SafeDumper):
    """Rules that stand in two places are written twice: not every tool that reads CRDs knows YAML's anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def files() -> dict[str, str]:
    """File name → YAML text of every CRD."""
    return {
        f"{GROUP}_{definition['spec']['names']['plural']}.yaml": yaml.dump(
            definition, Dumper=WithoutAliases, sort_keys=False, width=120
        )
        for definition in (connection_crd(), activation_crd())
    }


def main(directory: str) -> None:
    Path(directory).mkdir(exist_ok=True)
    for name, text in files().items():
        (Path(directory) / name).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1])
