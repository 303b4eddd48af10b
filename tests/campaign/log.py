"""The campaign's own event log: what happened, in order, written by the world and by its Engage, never by the operator.

The place of an event in the log is its order; `at` is the true time, whatever an operator's clock says.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

PERSON = "a person"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Wrote(Event):
    """One field of one contact was set in Engage; `by` is PERSON or the activation for which `operator` sent it.

    `asked` is the place in the log at which Engage was asked to, where it did so later.
    """

    by: str
    contact: str
    target: str
    before: bool | None
    after: bool
    operator: str = ""
    asked: int | None = None


@dataclass(frozen=True, slots=True)
class Found(Event):
    """What a contact showed of a person's decision when the campaign began."""

    contact: str
    target: str
    value: bool | None


@dataclass(frozen=True, slots=True)
class Showed(Event):
    """Engage showed a contact to an activation's operator."""

    by: str
    contact: str


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """A request to change a contact came to nothing: an answer without the change, or a broken connection."""

    by: str
    contact: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What an activation's manifest, its connection and its warehouse say together.

    `enters` is what entering writes: on, yes or no; `leaves` what leaving writes: off, no or nothing. `people` has
    when each decided, as the warehouse says.
    """

    target: str | None
    enters: str
    leaves: str
    policy: str
    is_held: bool
    most_removals: int
    people: dict[str, datetime | None]


@dataclass(frozen=True, slots=True)
class Wished(Event):
    """From here on an activation's wish is this one."""

    activation: str
    wish: Wish


@dataclass(frozen=True, slots=True)
class Began(Event):
    """An operator began to work on an activation."""

    activation: str
    operator: str


@dataclass(frozen=True, slots=True)
class Ended(Event):
    """An operator ended its work on an activation; `was_killed`: in the middle of it."""

    activation: str
    operator: str
    was_killed: bool
    ready: str = ""
    reason: str = ""
    message: str = ""
    members: int | None = None
    outcome: str | None = None

    @property
    def was_whole(self) -> bool:
        """Whether it was a run that came to its end, and carried out what it found."""
        return not self.was_killed and self.outcome in ("Succeeded", "Partial")


@dataclass(frozen=True, slots=True)
class Deleted(Event):
    """A person deleted an activation; it may still be withdrawn."""

    activation: str


@dataclass(frozen=True, slots=True)
class Gone(Event):
    """An activation does not exist any more."""

    activation: str


@dataclass(frozen=True, slots=True)
class Approved(Event):
    """A person approved the plan that waited, of so many changes.

    Of these, `in_doubt` opt-ins of people of whom it said that nobody can tell whether they said no.
    """

    activation: str
    changes: int
    in_doubt: int = 0


@dataclass(frozen=True, slots=True)
class LedgersChanged(Event):
    """Somebody lost, damaged or restored ledgers, or moved an operator to a root without them."""

    how: str


@dataclass(frozen=True, slots=True)
class StatusEmptied(Event):
    """An activation's status is empty, as in a cluster that was built anew."""

    activation: str


@dataclass(frozen=True, slots=True)
class Forgotten(Event):
    """A contact was erased from all ledgers on request."""

    contact: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one activation stands after all faults were repaired and hours have passed."""

    activation: str
    wish: Wish
    ready: str
    reason: str
    message: str
    is_stalled: bool
    shown: dict[str, bool | None]
    """What Engage shows of the target, of every contact that exists."""


@dataclass(frozen=True, slots=True)
class Settled(Event):
    """All faults are repaired, people approved what waited, hours have passed."""

    outcomes: tuple[Outcome, ...]


Kind = TypeVar("Kind", bound=Event)


@dataclass(slots=True)
class Log:
    """Events in order."""

    events: list[Event] = field(default_factory=list)

    def note(self, event: Event) -> None:
        self.events.append(event)

    def each(self, kind: type[Kind], start: int = 0, end: int | None = None) -> Iterator[tuple[int, Kind]]:
        """The events of a kind with their places, between two places."""
        for place in range(start, len(self.events) if end is None else end):
            event = self.events[place]
            if isinstance(event, kind):
                yield place, event

    def latest(self, kind: type[Kind], end: int) -> Iterator[tuple[int, Kind]]:
        """The events of a kind before a place, the latest first."""
        for place in range(end - 1, -1, -1):
            event = self.events[place]
            if isinstance(event, kind):
                yield place, event
