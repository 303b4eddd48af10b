"""A second activation in the same operator."""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from prometheus_client import CollectorRegistry
from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.reconcile.activation import ActivationLife
from voyado_operator.telemetry.metrics import Metrics

from tests.component.installation import GOVERNANCE, Dictionary, Installation
from tests.unit.reconcile.objects import metadata


class Beside:
    """In the namespace of `here`, over its connection; younger than its activation unless `age` says otherwise."""

    def __init__(self, here: Installation, name: str, age: int = 0, **spec: Any) -> None:
        self.here, self.name, self.age, self.generation = here, name, age, 1
        self.spec: dict[str, Any] = {
            "connectionRef": {"name": "engage"},
            "audience": {"contactIds": []},
            "schedule": {"every": "1h"},
            "guards": here.guards,
            "governance": None if "label" in spec["target"] else GOVERNANCE,
        } | spec
        self.annotations = dict[str, str]()
        self.cluster = Dictionary(here.engage.api_key)
        around = replace(here.around, cluster=cast(Any, self.cluster))
        self.seen()
        watched = here.registry.activations[self.activation().metadata.key]
        self.life = ActivationLife(watched, around, here.registry, Metrics(CollectorRegistry()), lambda: False)

    def activation(self) -> SegmentActivation:
        described = metadata(self.name, self.age, self.generation, self.annotations)
        return SegmentActivation.model_validate(
            {"metadata": described, "spec": self.spec, "status": self.cluster.status}
        )

    def seen(self) -> None:
        """The watch shows it as it is now."""
        self.here.registry.activation_seen(self.activation())

    def edit(self, **spec: Any) -> None:
        self.spec |= spec
        self.generation += 1
        self.seen()

    def select(self, people: Iterable[str]) -> None:
        self.edit(audience={"contactIds": sorted(people)})

    def is_gone(self) -> None:
        """It was deleted, and is gone."""
        self.here.registry.activation_gone(self.activation())
        self.here.cluster.existing = False

    async def step(self) -> SegmentActivationStatus:
        """Whatever is due."""
        self.seen()
        await self.life.step()
        self.seen()
        return self.life.status

    async def run_with(self, people: Iterable[str]) -> SegmentActivationStatus:
        """The run of another audience."""
        self.select(people)
        return await self.step()

    async def run(self) -> SegmentActivationStatus:
        """A run that is asked for."""
        self.annotations["requestedAt"] = str(uuid.uuid4())
        return await self.step()
