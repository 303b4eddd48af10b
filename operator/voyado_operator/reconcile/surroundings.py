"""What all runs share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.reconcile.adapters import Adapters
from voyado_operator.reconcile.ports import Cluster
from voyado_operator.reconcile.slots import Slots


@dataclass(frozen=True, slots=True)
class Surroundings:
    adapters: Adapters
    cluster: Cluster
    slots: Slots
    cluster_uid: str
    clock: Callable[[], datetime]

    def owner(self, activation: SegmentActivation) -> str:
        """As a ledger names its owner."""
        return f"{self.cluster_uid}/{activation.metadata.key}"
