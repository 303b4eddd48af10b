"""Bulk updates that Engage works on after it has taken them.

announced in the ledger --> taken: Engage answered an id --> over: the status says so
          |                            |
          | no id: a crash, no answer  | not over
          v                            v
    under way until PATIENCE has passed; then unknown, and only asked for until KEPT has passed
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from voyado_operator.domain.delivery import MAY_BE_ON, Entry, Operation

PATIENCE = timedelta(minutes=10)
"""How long a batch may keep the opposite change of its contacts waiting."""

KEPT = timedelta(days=1)
"""How long Engage is asked for a batch that does not end."""

ANNOUNCING: Mapping[Operation, tuple[Entry, ...]] = {
    Operation.ADD: (Entry.ASKED,),
    Operation.REMOVE: (Entry.LEAVING, Entry.CLEARING),
}
"""What the ledger records of a contact before the operation is sent."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A bulk update that Engage took at `taken_at`; its contacts were announced in the ledger at `announced_at`.

    `batch_id` is None where Engage's answer is not known. `is_over` is kept of a batch that left contacts without an
    outcome, so that they do not count as under way.
    """

    operation: Operation
    announced_at: datetime
    taken_at: datetime
    rows: int
    batch_id: str | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Announced:
    """The contacts of one announcement that have no outcome, each with its latest entry if that is a later one."""

    latest: Mapping[str, Entry | None]
    approval: str | None = None

    def unchanged(self, among: Iterable[str]) -> list[str]:
        """Return those of which nothing was recorded since."""
        return [one for one in among if one in self.latest and self.latest[one] is None]

    def overruled(self, operation: Operation) -> list[str]:
        """Return the contacts to which the opposite of `operation` was done since."""
        if operation is Operation.ADD:
            return [one for one, entry in self.latest.items() if entry is not None and entry not in MAY_BE_ON]
        return [one for one, entry in self.latest.items() if entry is Entry.ADD]


@dataclass(frozen=True, slots=True)
class Group:
    """The batches of one announcement."""

    operation: Operation
    announced_at: datetime
    batches: Sequence[Batch] = field(default=())

    @property
    def unfinished(self) -> list[Batch]:
        """Return the batches that Engage can be asked for."""
        return [one for one in self.batches if one.batch_id is not None and not one.is_over]

    def is_whole(self, announced: Announced) -> bool:
        """Whether every contact without an outcome is in a batch with an id."""
        return len(announced.latest) <= sum(one.rows for one in self.batches if one.batch_id is not None)

    def unnamed(self, announced: Announced) -> "Group":
        """Return what is left of it when the batches with an id are over."""
        missing = len(announced.latest) - sum(one.rows for one in self.batches if one.batch_id is not None)
        return Group(
            self.operation,
            self.announced_at,
            [Batch(self.operation, self.announced_at, self.announced_at, missing)] if missing > 0 else [],
        )

    def is_exact(self, announced: Announced) -> bool:
        """Whether the contacts without an outcome are exactly those of the unfinished batches."""
        return len(announced.latest) == sum(one.rows for one in self.unfinished)

    def may_change(self, announced: Announced, now: datetime) -> bool:
        """Whether a batch may still change the contacts, as far as anybody waits for it."""
        taken = [one.taken_at for one in self.unfinished]
        if not self.is_whole(announced):
            taken.append(self.announced_at)
        return any(now < one + PATIENCE for one in taken)


def groups(batches: Iterable[Batch]) -> list[Group]:
    found: dict[tuple[Operation, datetime], list[Batch]] = {}
    for one in batches:
        found.setdefault((one.operation, one.announced_at), []).append(one)
    return [Group(*key, some) for key, some in found.items()]


def opposite(operation: Operation) -> Operation:
    return Operation.REMOVE if operation is Operation.ADD else Operation.ADD
