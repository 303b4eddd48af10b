"""One call per contact, a bounded number at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from voyado_operator.domain.delivery import CONTACT_GONE, Operation, Outcome, Result
from voyado_operator.domain.errors import EngageUnavailable, RunError
from voyado_operator.engage.answers import ItemAnswer, ItemStatus
from voyado_operator.reconcile.ports import Delivered

IN_FLIGHT = 64  # 200 a second, as long as an answer takes 0.3 s
UNANSWERED_IN_A_ROW = 3  # each was tried several times: Engage is away, and asking on helps nobody
SECONDS_PER_BATCH = 2  # of sending; three batches are on their way at a time

Send = Callable[[str], Awaitable[ItemAnswer]]


async def one_by_one(operation: Operation, contact_ids: Sequence[str], send: Send) -> Delivered:
    """Send for each contact; stop when Engage refuses our key or has gone quiet."""
    sending = _Sending(operation, iter(contact_ids), send)
    await asyncio.gather(*(sending.work() for _ in range(min(IN_FLIGHT, len(contact_ids)))))
    if sending.stopped is None and len(sending.accepted) + len(sending.others) < len(contact_ids):
        sending.stopped = EngageUnavailable("Engage does not answer updates any more; the rest waits for the next run")
    return Delivered(sending.accepted, sending.others, sending.stopped)


def unaccepted(operation: Operation, contact_id: str, answer: ItemAnswer) -> Outcome | None:
    """What else than accepted; a contact that is gone cannot be added, and needs no removing."""
    match answer.status:
        case ItemStatus.DONE:
            return None
        case ItemStatus.NOT_FOUND if operation is Operation.REMOVE and answer.detail == CONTACT_GONE:
            return None
        case ItemStatus.UNKNOWN:
            return Outcome(contact_id, Result.UNKNOWN, answer.detail)
    return Outcome(contact_id, Result.REJECTED, answer.detail)


class _Sending:
    def __init__(self, operation: Operation, waiting: Iterator[str], send: Send) -> None:
        self.accepted: list[str] = []
        self.others: list[Outcome] = []
        self.stopped: RunError | None = None
        self._operation = operation
        self._waiting = waiting
        self._send = send
        self._unanswered = 0

    async def work(self) -> None:
        while self._goes_on() and (contact_id := next(self._waiting, None)) is not None:
            try:
                answer = await self._send(contact_id)
            except RunError as error:
                self.stopped = self.stopped or error
                return
            self._unanswered = self._unanswered + 1 if answer.status is ItemStatus.UNKNOWN else 0
            if (refused := unaccepted(self._operation, contact_id, answer)) is None:
                self.accepted.append(contact_id)
            else:
                self.others.append(refused)

    def _goes_on(self) -> bool:
        return self.stopped is None and self._unanswered < UNANSWERED_IN_A_ROW
