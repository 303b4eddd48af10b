"""What preferences and consents have in common: entering and leaving each write a yes, a no, or nothing."""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, Self

from voyado_operator.domain.consent import NOT_WRITTEN, Judge, OptIn
from voyado_operator.domain.contact import Contact, Facet
from voyado_operator.domain.delivery import Operation, Outcome, Result
from voyado_operator.domain.target import Capability, Mode
from voyado_operator.engage.answers import ItemAnswer
from voyado_operator.engage.client import WITHHELD, EngageClient
from voyado_operator.engage.limiter import Priority
from voyado_operator.reconcile.ports import Delivered, Tell, nobody_waits
from voyado_operator.targets.base import EngageTarget
from voyado_operator.targets.singly import one_by_one

MEANING = {"Accept": True, "Decline": False, "Keep": None}
"""The manifest's words as what is written; None writes nothing."""


def opts_nobody_in(_: str, __: Contact) -> OptIn:
    """The judge as long as nobody has named another."""
    return OptIn.DECLINE


class Choice(EngageTarget):
    """Writes a person's yes or no, each with a call of its own; a no goes ahead of everything else in the queue.

    A yes goes out right after a look at the contact, if what it shows is judged to allow it.
    """

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
        self._judge: Judge = opts_nobody_in
        self.batch_size = batch_size

    def judged_by(self, judge: Judge) -> Self:
        judged = copy(self)
        judged._judge = judge  # noqa: SLF001 - of the same class
        return judged

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
        return await (self._opted_in(contact_ids) if value else self._opted_out(operation, contact_ids))

    async def _opted_out(self, operation: Operation, contact_ids: Sequence[str]) -> Delivered:
        changes = self._changes(False)  # noqa: FBT003 - the person's no

        async def send(contact_id: str) -> ItemAnswer:
            return await self.client.update(contact_id, changes, Priority.OPT_OUT)

        return await one_by_one(operation, contact_ids, send)

    async def _opted_in(self, contact_ids: Sequence[str]) -> Delivered:
        changes, judged = self._changes(True), dict[str, OptIn]()  # noqa: FBT003 - the person's yes

        async def send(contact_id: str) -> ItemAnswer:
            def is_right(contact: Contact) -> bool:
                judged[contact_id] = self._judge(contact_id, contact)
                return judged[contact_id] is OptIn.WRITE

            return await self.client.update_if(contact_id, changes, is_right)

        sent = await one_by_one(Operation.ADD, contact_ids, send)
        withheld = {one.contact_id: judged[one.contact_id] for one in sent.others if one.detail == WITHHELD}
        others = [one for one in sent.others if one.detail != WITHHELD]
        refused = [
            Outcome(one, Result.REJECTED, NOT_WRITTEN[verdict])
            for one, verdict in withheld.items()
            if verdict in NOT_WRITTEN
        ]
        return Delivered(
            accepted=sent.accepted,
            others=others + refused,
            stopped=sent.stopped,
            adopted=[one for one, verdict in withheld.items() if verdict is OptIn.ADOPT],
            declined=[one for one, verdict in withheld.items() if verdict is OptIn.DECLINE],
        )
