"""What preferences and consents have in common: entering and leaving each write a yes, a no, or nothing."""

from collections.abc import Callable, Sequence
from typing import Any

from voyado_operator.domain.contact import Facet
from voyado_operator.domain.delivery import Operation
from voyado_operator.domain.target import Capability, Mode
from voyado_operator.engage.answers import ItemAnswer
from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.limiter import Priority
from voyado_operator.reconcile.ports import Delivered, Tell, nobody_waits
from voyado_operator.targets.base import EngageTarget
from voyado_operator.targets.singly import one_by_one

MEANING = {"Accept": True, "Decline": False, "Keep": None}
"""The manifest's words as what is written; None writes nothing."""


class Choice(EngageTarget):
    """Writes a person's yes or no, each with a call of its own; a no goes ahead of everything else in the queue."""

    def __init__(
        self,
        client: EngageClient,
        facet: Callable[[bool], Facet],
        changes: Callable[[bool], dict[str, Any]],
        on_enter: str,
        on_exit: str,
        batch_size: int,
    ) -> None:
        entering = MEANING[on_enter]
        super().__init__(client, Priority.NORMAL if entering else Priority.OPT_OUT)
        self._changes = changes
        self._facet = facet
        self._values = {Operation.ADD: entering, Operation.REMOVE: MEANING[on_exit]}
        self.batch_size = batch_size

    def facet(self, operation: Operation) -> Facet | None:
        value = self._values[operation]
        return None if value is None else self._facet(value)

    def capability(self, operation: Operation, contacts: int) -> Capability | None:
        facet = self.facet(operation)
        return Capability(facet.kind, "contact", Mode.SINGLE) if facet else None

    async def apply(
        self, operation: Operation, contact_ids: Sequence[str], handed_in: Tell = nobody_waits
    ) -> Delivered:
        value = self._values[operation]
        if value is None:
            return Delivered(contact_ids)
        changes, priority = self._changes(value), Priority.NORMAL if value else Priority.OPT_OUT

        async def send(contact_id: str) -> ItemAnswer:
            return await self.client.update(contact_id, changes, priority)

        return await one_by_one(operation, contact_ids, send)
