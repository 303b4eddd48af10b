"""One manifest of ours, judged as the API server judges it: kind, metadata, structure, CEL rules."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from voyado_operator.api.common import GROUP, VERSION, Kind
from voyado_operator.api.crd import activation_crd, connection_crd
from voyado_operator.cli.check import rules, schema
from voyado_operator.cli.check.findings import Finding
from voyado_operator.cli.check.manifests import Manifest

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
DEFINITIONS = {Kind.ACTIVATION: activation_crd, Kind.CONNECTION: connection_crd}
METADATA_TYPES = {
    "string": "name generateName namespace uid resourceVersion selfLink creationTimestamp deletionTimestamp",
    "integer": "generation deletionGracePeriodSeconds",
    "object": "labels annotations",
    "array": "finalizers ownerReferences managedFields",
}
METADATA = {
    "type": "object",
    "properties": {name: {"type": kind} for kind, names in METADATA_TYPES.items() for name in names.split()},
}
"""metav1.ObjectMeta, which is in no CRD."""


def judged(manifest: Manifest) -> Iterator[Finding]:
    """What the API server would say against it."""
    if manifest.kind not in list(Kind):
        known = " and ".join(Kind)
        yield manifest.error(("kind",), f"{GROUP} has no kind {manifest.kind or 'without a name'}; it has {known}")
        return
    if manifest.value["apiVersion"] != f"{GROUP}/{VERSION}":
        yield manifest.error(("apiVersion",), f"write apiVersion: {GROUP}/{VERSION}")
        return
    for path, message in _problems(manifest):
        yield manifest.error(path, message)


def _problems(manifest: Manifest) -> Iterator[schema.Problem]:
    value, definition = manifest.value, _schema(Kind(manifest.kind))
    yield from _of_metadata(value.get("metadata", {}))
    found = list(schema.problems({key: item for key, item in value.items() if key != "status"}, definition, ()))
    yield from found
    if isinstance(value.get("spec"), dict):
        broken = {path for path, _ in found}
        yield from rules.violations(value["spec"], definition["properties"]["spec"], ("spec",), broken)


def _of_metadata(metadata: Any) -> Iterator[schema.Problem]:
    found = list(schema.problems(metadata, METADATA, ("metadata",)))
    yield from found
    if found or not isinstance(metadata, dict):
        return
    if not metadata.get("name") and not metadata.get("generateName"):
        yield ("metadata",), "name is missing"
    name = metadata.get("name")
    if name and (not SUBDOMAIN.fullmatch(name) or len(name) > 253):
        yield (
            ("metadata", "name"),
            f"{name!r} is no name: write lower-case letters, digits, '-' and '.', a letter or digit first and last",
        )
    for field in ("labels", "annotations"):
        for key, value in metadata.get(field, {}).items():
            if not isinstance(value, str):
                yield ("metadata", field, key), "must be a string; write it in quotes"


@cache
def _schema(kind: Kind) -> dict[str, Any]:
    found: dict[str, Any] = DEFINITIONS[kind]()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found
