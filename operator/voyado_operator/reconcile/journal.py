"""Writing down which bulk updates Engage has taken, while they are under way."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import TracebackType

from voyado_operator.domain.batches import Batch
from voyado_operator.domain.delivery import NOT_APPLIED, Operation, Outcome, Result
from voyado_operator.reconcile.batch_ports import RememberedBatches
from voyado_operator.reconcile.worker import Worker


@dataclass(slots=True)
class BatchJournal:
    """Of one delivery, in a thread of its own, so that no batch waits for a commit of the ledger.

    Batches that are answered during a commit share the next one: the 250 of a first run of 1,000,000 take 22 commits.
    Nothing is opened before the first batch.
    """

    open: Callable[[], RememberedBatches]
    clock: Callable[[], datetime]
    writer: Worker = field(default_factory=lambda: Worker("batches"))
    _announcements: list["Announcement"] = field(default_factory=list)
    _unwritten: list[Batch] = field(default_factory=list)
    _table: RememberedBatches | None = None
    _earlier: list[Batch] = field(default_factory=list)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __enter__(self) -> "BatchJournal":
        self.writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.__exit__(kind, error, trace)

    def announced(self, operation: Operation, at: datetime) -> "Announcement":
        """Return what the batches of one announcement are told to."""
        self._announcements.append(Announcement(self, operation, at))
        return self._announcements[-1]

    async def remember(self, batch: Batch) -> None:
        """Return when the batch is on disk. Raises LedgerUnavailable."""
        self._unwritten.append(batch)
        async with self._writing:
            if batch not in self._unwritten:  # it went with another one's commit
                return
            batches, self._unwritten = self._unwritten, []
            await self.writer(self._add, batches)

    async def close(self) -> None:
        """Forget the batches that are over. Raises LedgerUnavailable."""
        left = [one for announcement in self._announcements for one in announcement.remembered()]
        taken = [one for announcement in self._announcements for one in announcement.batches.values()]
        if left != taken:
            await self.writer(self._keep, left)

    def _add(self, batches: list[Batch]) -> None:
        if self._table is None:
            self._table = self.open()
            self._earlier = self._table.load()
        self._table.add(batches)

    def _keep(self, batches: list[Batch]) -> None:
        if self._table is not None:
            self._table.keep([*self._earlier, *batches])


@dataclass(slots=True)
class Announcement:
    """The batches of one announcement."""

    journal: BatchJournal
    operation: Operation
    at: datetime
    batches: dict[str, Batch] = field(default_factory=dict)
    _over: set[str] = field(default_factory=set)
    _is_open: bool = True

    async def taken(self, batch_id: str, rows: int) -> None:
        """See Journal."""
        batch = Batch(self.operation, self.at, self.journal.clock(), rows, batch_id)
        self.batches[batch_id] = batch
        await self.journal.remember(batch)

    def over(self, batch_id: str) -> None:
        """See Journal."""
        self._over.add(batch_id)

    def closed(self, others: Iterable[Outcome]) -> None:
        """Take note of what was not accepted: which contacts have no outcome though their batch may be over."""
        self._is_open = any(one.result is Result.UNKNOWN or one.detail == NOT_APPLIED for one in others)

    def remembered(self) -> list[Batch]:
        """Return the batches that a later run has to know of."""
        under_way = [one for batch_id, one in self.batches.items() if batch_id not in self._over]
        if not self._is_open:
            return under_way
        return [*under_way, *(replace(self.batches[one], is_over=True) for one in self._over if one in self.batches)]
