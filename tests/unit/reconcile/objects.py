"""Objects as the watch shows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.target import Side
from voyado_operator.reconcile.findings import Assignment, Intent
from voyado_operator.targets.build import identify

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
READY = {"type": "Ready", "lastTransitionTime": NOW, "message": ""}


def metadata(name: str, age: int, generation: int, annotations: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": "marketing",
        "uid": f"uid-of-{name}",
        "resourceVersion": "1",
        "generation": generation,
        "creationTimestamp": NOW - timedelta(days=age),
        "annotations": {f"voyado-operator.io/{key}": value for key, value in annotations.items()},
    }


def activation(
    name: str = "vip",
    *,
    age: int = 1,
    generation: int = 1,
    label: str = "vip",
    status: dict[str, Any] | None = None,
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> SegmentActivation:
    given = {"connectionRef": {"name": "engage"}, "audience": {}, "target": {"label": {"name": label}}} | spec
    described = metadata(name, age, generation, annotations or {})
    return SegmentActivation.model_validate({"metadata": described, "spec": given, "status": status or {}})


def done(generation: int = 1, reason: str = "Succeeded", **status: Any) -> dict[str, Any]:
    """A status after a run of this generation."""
    ready = READY | {"status": "True" if reason == "Succeeded" else "False", "reason": reason}
    return {"observedGeneration": generation, "conditions": [ready], **status}


def connection(
    *, ready: str | None = "True", generation: int = 1, message: str = "", suspend: bool = False, **spec: Any
) -> VoyadoConnection:
    given = {
        "url": "https://acme.voyado.com",
        "apiKeySecretRef": {"name": "engage"},
        "labels": {"attribute": {"idTemplate": "label_{label}"}},
        "suspend": suspend,
    }
    condition = READY | {"status": ready, "reason": "Any", "message": message}
    status = {"observedGeneration": 1, "conditions": [condition] if ready else []}
    return VoyadoConnection.model_validate(
        {"metadata": metadata("engage", 1, generation, {}), "spec": given | spec, "status": status}
    )


def assigned(seen: SegmentActivation, intent: Intent = Intent.ENFORCE) -> Assignment:
    """A run of an activation that nothing is known of."""
    through = connection()
    target = identify(seen, through)
    side = Side(f"cluster/{seen.metadata.key}", target, "engage", seen.spec.target.on_exit, "run-1")
    return Assignment("run-1", NOW, intent, seen, through, target, side, None, None)
