"""What is wrong with manifests only beside each other: rivals for a target, connections that are not there, Secrets."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import combinations

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.common import Kind
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.cli.check.findings import Finding, Path
from voyado_operator.cli.check.manifests import Manifest

Key = tuple[str, str]
REFERENCE: Path = ("spec", "connectionRef", "name")
SECRETS: tuple[Path, ...] = (
    ("spec", "apiKeySecretRef", "name"),
    ("spec", "audience", "sql", "uriSecretRef", "name"),
    ("spec", "audience", "files", "secretRef", "name"),
)


def judged_together(manifests: Sequence[Manifest], sound: Sequence[Manifest]) -> Iterator[Finding]:
    """`sound` are those of ours that the API server would take; others may still be referred to."""
    ours = [one for one in manifests if one.is_ours]
    activations = [one for one in sound if one.kind == Kind.ACTIVATION]
    yield from repeated(ours)
    yield from unconnected(activations, [one for one in ours if one.kind == Kind.CONNECTION])
    connections = [one for one in sound if one.kind == Kind.CONNECTION]
    yield from unrouted(activations, connections)
    yield from rivals(activations, connections)
    yield from clear_text([one for one in manifests if not one.is_ours], ours)


def repeated(manifests: Iterable[Manifest]) -> Iterator[Finding]:
    """A warning: overlays of several environments hold the same object, and that is meant."""
    places: defaultdict[tuple[str, ...], list[Manifest]] = defaultdict(list)
    for one in manifests:
        places[one.kind, one.namespace, one.name].append(one)
    for first, *others in places.values():
        if others:
            listed = ", ".join(other.place for other in others[:3]) + (", …" if others[3:] else "")
            yield first.warning(("metadata", "name"), f"is also in {listed}: whichever is applied last is in force")


def unconnected(activations: Iterable[Manifest], connections: Iterable[Manifest]) -> Iterator[Finding]:
    """An error where the namespace has other connections in these files, as it is a slip then; else a warning."""
    known: defaultdict[str, list[str]] = defaultdict(list)
    for connection in connections:
        known[connection.namespace].append(connection.name)
    for activation in activations:
        name, others = _reference(activation), known.get(activation.namespace, [])
        where = f"namespace {activation.namespace}" if activation.namespace else "these files"
        if name in others:
            continue
        if others:
            near = get_close_matches(name, others, n=1, cutoff=0.5) or others
            yield activation.error(REFERENCE, f"{where} have no VoyadoConnection {name}; write {' or '.join(near)}")
        else:
            hint = "it must be there before this one can run"
            yield activation.warning(REFERENCE, f"these files have no VoyadoConnection {name}: {hint}")


def unrouted(activations: Iterable[Manifest], connections: Iterable[Manifest]) -> Iterator[Finding]:
    """Labels over a connection that does not say what a label is in its tenant, as the operator would refuse them."""
    silent = {_key(one): one for one in connections if "labels" not in one.spec}
    for activation in activations:
        connection = silent.get((activation.namespace, _reference(activation)))
        if connection is not None and "label" in activation.spec["target"]:
            yield activation.error(
                ("spec", "target", "label"),
                f"VoyadoConnection {connection.name} ({connection.place}) does not say how it represents labels; write "
                'there, for one, labels: {attribute: {idTemplate: "label_{label}"}}',
            )


def rivals(activations: Sequence[Manifest], connections: Sequence[Manifest]) -> Iterator[Finding]:
    """Two activations of one target, as the operator would refuse the younger one with TargetConflict."""
    told: set[int] = set()
    for one, other in [*_of_same_name(activations), *_of_same_tenant(activations, connections)]:
        if id(other) not in told:
            told.add(id(other))
            yield other.error(
                ("spec", "target"),
                f"{one.kind} {one.name} ({one.place}) drives the same target; one of them must go, or choose another",
            )


def clear_text(secrets: Iterable[Manifest], ours: Sequence[Manifest]) -> Iterator[Finding]:
    """Secrets that ours need, or that stand beside them; encrypted ones (SOPS) are as they should be."""
    own_files = {one.file for one in ours}
    named = {(one.namespace, name) for one in ours for path in SECRETS if (name := _text(one, path))}
    for secret in secrets:
        held = [secret.value.get(field) for field in ("data", "stringData")]
        keys = [key for values in held if isinstance(values, dict) for key in values]
        is_near = (secret.namespace, secret.name) in named or secret.file in own_files
        if keys and is_near and "sops" not in secret.value:
            yield secret.warning(
                ("stringData",) if "stringData" in secret.value else ("data",),
                f"holds {', '.join(keys)} in clear text; keep it out of Git: SOPS, Sealed Secrets or External Secrets",
            )


def _of_same_name(activations: Sequence[Manifest]) -> Iterator[tuple[Manifest, Manifest]]:
    """Over one connection the target's kind and name tell, whatever the connection is."""
    groups: defaultdict[tuple[str, ...], list[Manifest]] = defaultdict(list)
    for activation in activations:
        groups[activation.namespace, _reference(activation), *_target(activation)].append(activation)
    for group in groups.values():
        yield from ((one, other) for one, other in combinations(group, 2) if _key(one) != _key(other))


def _of_same_tenant(
    activations: Sequence[Manifest], connections: Sequence[Manifest]
) -> Iterator[tuple[Manifest, Manifest]]:
    """Over several connections to one tenant the operator's own identity of a target tells."""
    read = {_key(one): _connection(one) for one in connections}
    hosts = [connection.spec.host for connection in read.values()]
    if len(set(hosts)) == len(hosts):
        return
    from voyado_operator.targets.build import identify  # half a second, for tenants with two connections

    found = [
        (activation, identify(_activation(activation), connection))
        for activation in activations
        if (connection := read.get((activation.namespace, _reference(activation))))
    ]
    for (one, mine), (other, theirs) in combinations(found, 2):
        if mine.conflicts_with(theirs) and _key(one) != _key(other):
            yield one, other


def _target(activation: Manifest) -> tuple[str, str]:
    kind, target = next(iter(activation.spec["target"].items()))
    return kind, str(target.get("name") or target.get("channel") or target.get("id"))


def _reference(activation: Manifest) -> str:
    return _text(activation, REFERENCE)


def _text(manifest: Manifest, path: Path) -> str:
    value: object = manifest.value
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _key(manifest: Manifest) -> Key:
    return manifest.namespace, manifest.name


def _activation(manifest: Manifest) -> SegmentActivation:
    return SegmentActivation.model_validate({"metadata": _metadata(manifest), "spec": manifest.spec})


def _connection(manifest: Manifest) -> VoyadoConnection:
    return VoyadoConnection.model_validate({"metadata": _metadata(manifest), "spec": manifest.spec})


def _metadata(manifest: Manifest) -> dict[str, object]:
    """With what only the API server gives made up, as nothing here depends on it."""
    made_up = {"uid": "", "resourceVersion": "", "creationTimestamp": datetime.now(UTC)}
    return {"name": manifest.name, "namespace": manifest.namespace, **made_up}
