"""What all runs share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from voyado_operator.api.common import ObjectKey
from voyado_operator.reconcile.adapters import Adapters
from voyado_operator.reconcile.ports import Cluster


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`slots` bounds the runs between extract and guard, which is where the memory goes."""

    adapters: Adapters
    cluster: Cluster
    slots: asyncio.Semaphore
    cluster_uid: str
    clock: Callable[[], datetime]

    def owner(self, activation: ObjectKey) -> str:
        """As a ledger names its owner."""
        return f"{self.cluster_uid}/{activation}"
