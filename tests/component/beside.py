"""Another activation of the same operator, on the same connection and the same people."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from prometheus_client import CollectorRegistry
from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.reconcile.activation import ActivationLife
from voyado_operator.telemetry.metrics import Metrics

from tests.component.installation import GOVERNANCE, Dictionary, Installation


class Beside:
    """Its runs share the installation's registry, ledger root and Engage; the status is its own."""

    def __init__(self, here: Installation, target: dict[str, Any], **spec: Any) -> None:
        self._here, self._target, self._spec = here, target, spec
        self._cluster = Dictionary(here.engage.api_key)
        self._generation = 0
        self._audience = list[str]()

    async def run(self, audience: Iterable[str]) -> SegmentActivationStatus:
        """Another generation, with this audience."""
        self._generation += 1
        self._audience = sorted(audience)
        here, activation = self._here, self._activation()
        here.registry.activation_seen(activation)
        watched = here.registry.activations[activation.metadata.key]
        around = replace(here.around, cluster=cast(Any, self._cluster))
        life = ActivationLife(watched, around, here.registry, Metrics(CollectorRegistry()), is_stopping=lambda: False)
        await life.step()
        return life.status

    def _activation(self) -> SegmentActivation:
        manifest = self._here.activation().model_dump(mode="json", by_alias=True, exclude_none=True)
        manifest["metadata"] |= {"name": "beside", "uid": "uid-beside", "generation": self._generation}
        manifest["metadata"]["annotations"] = {}
        manifest["spec"] |= {
            "audience": {"contactIds": self._audience},
            "target": self._target,
            "governance": None if "label" in self._target else GOVERNANCE,
            **self._spec,
        }
        return SegmentActivation.model_validate(manifest | {"status": self._cluster.status})
