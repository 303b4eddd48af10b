"""What all targets have in common: they read contacts, put them back, and send singly unless they say otherwise."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

from voyado_operator.domain.batches import Batch
from voyado_operator.domain.consent import Judge
from voyado_operator.domain.delivery import Operation
from voyado_operator.domain.target import Mode
from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.limiter import Priority
from voyado_operator.reconcile.batch_ports import Journal
from voyado_operator.reconcile.ports import Delivered, Reading, Tell, nobody_waits
from voyado_operator.targets.reading import read_all


class EngageTarget(ABC):
    """`priority` is that of the target's changes."""

    is_repeat_safe = True

    def __init__(self, client: EngageClient, priority: Priority = Priority.NORMAL) -> None:
        self.client = client
        self._priority = priority

    async def read(self, contact_ids: Sequence[str]) -> Reading:
        return await read_all(contact_ids, self.client, self._priority)

    def judged_by(self, judge: Judge) -> Self:
        return self

    async def restore(self, contact_id: str, changes: dict[str, Any]) -> None:
        await self.client.update(contact_id, changes, Priority.OPT_OUT)

    @abstractmethod
    async def apply(
        self, operation: Operation, contact_ids: Sequence[str], handed_in: Tell = nobody_waits
    ) -> Delivered:
        """Do it in the mode that suits the number."""

    async def apply_as(self, mode: Mode, operation: Operation, contact_ids: Sequence[str]) -> Delivered:
        """Singly, as there is no other mode."""
        return await self.apply(operation, contact_ids)

    def remembering(self, journal: Journal) -> Self:
        """Itself: a single call is over when it is answered."""
        return self

    async def fate(
        self, operation: Operation, contact_ids: Sequence[str], batches: Sequence[Batch]
    ) -> Delivered | None:
        """Nothing: there are no batches where every call is about one contact."""
        return Delivered()
