"""Sending what may go out, batch by batch, and writing down what Engage acknowledged."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from voyado_operator.domain.delivery import ADOPTED, Account, Entry, Operation, Outcome, Result, parking
from voyado_operator.reconcile.canary import Canary
from voyado_operator.reconcile.ports import Ledger, Target, Unsettled
from voyado_operator.reconcile.screening import Screen, Screened
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Workspace


class Interrupted(Exception):  # noqa: N818 - not an error: the operator stops, or the object goes
    """Sending ended between two batches because somebody asked for it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Carries changes from the workspace to the target, and acknowledgements to the ledger.

    `screen` says who of a batch is sent, `canary` goes ahead; `approvals` has the digest of the approved plan that an
    operation goes out on; `is_stopping` is asked between batches; `advance` is told how many contacts were just done.
    """

    workspace: Workspace
    target: Target
    ledger: Ledger
    unsettled: Unsettled
    generation: int
    account: Account
    worker: Worker
    clock: Callable[[], datetime]
    screen: Screen
    canary: Canary
    approvals: Mapping[Operation, str]
    is_stopping: Callable[[], object]
    advance: Callable[[int], None]

    async def deliver(self, operations: Sequence[Operation]) -> None:
        """Send everything that is not held, in the order of `operations`.

        What Engage accepted is in the ledger before the next batch goes, so a crash repeats one batch at most.
        Raises CredentialsInvalid, EngageUnavailable, LedgerUnavailable, TargetUnsafe, or Interrupted.
        """
        for operation in operations:
            async for batch in self._batches(operation):
                if self.is_stopping():
                    raise Interrupted
                await self._send(operation, batch)

    async def _send(self, operation: Operation, batch: list[str]) -> None:
        screened = await self.screen(operation, batch)
        await self.worker(self._write_down_screened, operation, screened)
        outcomes, stopped = screened.outcomes, screened.stopped
        if screened.send and stopped is None:
            trial = await self.canary.fly(operation, screened.send)
            outcomes, stopped = [*outcomes, *trial.outcomes], trial.stopped
            if trial.rest and stopped is None:
                delivered = await self.target.apply(operation, trial.rest)
                outcomes, stopped = [*outcomes, *delivered.outcomes], delivered.stopped
        self.account.record(operation, outcomes)
        await self.worker(self._write_down, operation, outcomes, set(screened.intents))
        self.advance(len(outcomes) + len(screened.adopted) + len(screened.declined))
        if stopped:
            raise stopped

    def _write_down_screened(self, operation: Operation, screened: Screened) -> None:
        """Intents last: what they announce is sent next."""
        now = self.clock()
        self.ledger.append(Entry(operation), screened.adopted, now, ADOPTED)
        self.ledger.append(Entry.DECLINED, screened.declined, now, decided=screened.declined)
        self.unsettled.ask(operation, screened.intents, now)
        self.account.adopted += len(screened.adopted)
        self.account.declined += len(screened.declined)

    def _write_down(self, operation: Operation, outcomes: Sequence[Outcome], asked: set[str]) -> None:
        """What is unknown stays as it is: it is in the next diff."""
        now, found = self.clock(), {result: _of(outcomes, result) for result in Result}
        self.ledger.append(Entry(operation), found[Result.ACCEPTED], now, self.approvals.get(operation))
        self.unsettled.settle([one for one in found[Result.ACCEPTED] if one in asked], now)
        if rejected := found[Result.REJECTED]:
            details = self.workspace.details(rejected)
            parked = {one: parking(details[one].refusals, now) for one in rejected}
            self.unsettled.park(operation, parked, self.generation, now)

    async def _batches(self, operation: Operation) -> AsyncIterator[list[str]]:
        pages = self.workspace.changes(operation)
        while page := await self.worker(next, pages, None):
            for batch in _sliced(page, self.target.batch_size):
                yield batch


def _of(outcomes: Sequence[Outcome], result: Result) -> list[str]:
    return [outcome.contact_id for outcome in outcomes if outcome.result is result]


def _sliced(page: list[str], size: int) -> Iterator[list[str]]:
    return (page[start : start + size] for start in range(0, len(page), size))
