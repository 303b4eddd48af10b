"""Sending what may go out, batch by batch, and writing down what Engage acknowledged."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from voyado_operator.domain.delivery import Account, Operation, Result
from voyado_operator.reconcile.ports import Ledger, Target
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Workspace


class Interrupted(Exception):  # noqa: N818 - not an error: the operator stops, or the object goes
    """Sending ended between two batches because somebody asked for it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Carries changes from the workspace to the target, and acknowledgements to the ledger.

    `approvals` has the digest of the approved plan that an operation goes out on; `is_stopping` is asked between
    batches; `advance` is told how many contacts were just done.
    """

    workspace: Workspace
    target: Target
    ledger: Ledger
    account: Account
    worker: Worker
    clock: Callable[[], datetime]
    approvals: Mapping[Operation, str]
    is_stopping: Callable[[], object]
    advance: Callable[[int], None]

    async def deliver(self, operations: Sequence[Operation]) -> None:
        """Send everything that is not held, in the order of `operations`.

        What Engage accepted is in the ledger before the next batch goes, so a crash repeats one batch at most.
        Raises CredentialsInvalid, EngageUnavailable, LedgerUnavailable, or Interrupted.
        """
        for operation in operations:
            async for batch in self._batches(operation):
                if self.is_stopping():
                    raise Interrupted
                await self._send(operation, batch)

    async def _send(self, operation: Operation, batch: list[str]) -> None:
        delivered = await self.target.apply(operation, batch)
        self.account.record(operation, delivered.outcomes)
        accepted = [o.contact_id for o in delivered.outcomes if o.result is Result.ACCEPTED]
        await self.worker(self.ledger.append, operation, accepted, self.clock(), self.approvals.get(operation))
        self.advance(len(delivered.outcomes))
        if delivered.stopped:
            raise delivered.stopped

    async def _batches(self, operation: Operation) -> AsyncIterator[list[str]]:
        pages = self.workspace.changes(operation)
        while page := await self.worker(next, pages, None):
            for batch in _sliced(page, self.target.batch_size):
                yield batch


def _sliced(page: list[str], size: int) -> Iterator[list[str]]:
    return (page[start : start + size] for start in range(0, len(page), size))
