"""What the log says of the past, so that the invariants can be short. It never looks at the operator's own records."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from tests.campaign.log import (
    PERSON,
    Approved,
    Began,
    Deleted,
    Ended,
    Event,
    Forgotten,
    Gone,
    LedgersChanged,
    Log,
    Refused,
    Showed,
    Wish,
    Wished,
    Wrote,
)

UNSEEN = -1
"""The place of what was so before the campaign began."""


class Write(NamedTuple):
    """A write, and its place in the log."""

    place: int
    wrote: Wrote

    @property
    def asked(self) -> int:
        """Where Engage was asked to."""
        return self.place if self.wrote.asked is None else self.wrote.asked


def is_preference(target: str) -> bool:
    return "/preference:" in target


def is_choice(target: str) -> bool:
    """Whether the target is a decision of the person's."""
    return is_preference(target) or "/consent:" in target


def is_trigger(target: str) -> bool:
    return "/trigger:" in target


class Past:
    """Questions to the log."""

    def __init__(self, log: Log) -> None:
        self.log = log

    def writes(self) -> Iterator[Write]:
        """What operators wrote."""
        return (Write(place, one) for place, one in self.log.each(Wrote) if one.by != PERSON)

    def wishes(self, activation: str, end: int) -> list[tuple[int, Wish]]:
        """The wishes of an activation up to a place, the latest last."""
        return [(place, one.wish) for place, one in self.log.each(Wished, 0, end) if one.activation == activation]

    def step_began(self, write: Write) -> int:
        """Where the operator's work began, in which it wrote."""
        for place, began in self.log.latest(Began, write.asked):
            if began.activation == write.wrote.by and began.operator == write.wrote.operator:
                return place
        return 0

    def wish_of(self, ended: Ended, place: int) -> Wish | None:
        """The wish under which a piece of work went on that ended there; None if it changed meanwhile."""
        said = self.wishes(ended.activation, place)
        for began, event in self.log.latest(Began, place):
            if (event.activation, event.operator) == (ended.activation, ended.operator):
                return said[-1][1] if said and said[-1][0] < began else None
        return said[-1][1] if said else None

    def wishes_meanwhile(self, write: Write) -> list[Wish]:
        """The wish with which the work began, and those that came while it went on."""
        began, said = self.step_began(write), self.wishes(write.wrote.by, write.asked)
        before = [wish for place, wish in said if place < began][-1:]
        return before + [wish for place, wish in said if place >= began]

    def wished_all_along_since(self, activation: str, end: int, enters: str, contact: str) -> int:
        """Since where an activation wants what it wants in the end, of the contact too.

        A wish that no whole run has seen makes no difference.
        """
        said = self.wishes(activation, end)
        target, since, until = said[-1][1].target if said else None, end, end
        for place, wish in reversed(said):
            if (wish.target, wish.enters) == (target, enters) and contact in wish.people:
                since = place
            elif self._was_carried_out(activation, place, until):
                break
            until = place
        return since

    def _was_carried_out(self, activation: str, start: int, end: int) -> bool:
        """Whether a whole run began and ended between two places."""
        began = [place for place, one in self.log.each(Began, start, end) if one.activation == activation]
        ended = [
            place for place, one in self.log.each(Ended, start, end) if one.activation == activation and one.was_whole
        ]
        return bool(began and ended) and ended[-1] > began[0]

    def approved_in_doubt(self, activation: str, end: int) -> int:
        """How many opt-ins a person has approved, told that nobody can tell whether these people said no."""
        return sum(one.in_doubt for _, one in self.log.each(Approved, 0, end) if one.activation == activation)

    def is_deleted(self, activation: str, end: int) -> bool:
        """Whether a person has deleted it and not applied it again."""
        for _, event in self.log.latest(Event, end):
            if isinstance(event, Deleted) and event.activation == activation:
                return True
            if isinstance(event, Wished) and event.activation == activation:
                return False
        return False

    def everybody_of(self, activation: str, end: int) -> set[str]:
        """Whom it ever had in its audience."""
        return {one for _, wish in self.wishes(activation, end) for one in wish.people}

    def targets_of(self, activation: str, end: int) -> set[str]:
        """What it was ever about."""
        return {wish.target for _, wish in self.wishes(activation, end) if wish.target}

    def latest_write(self, contact: str, target: str, end: int) -> Write | None:
        """Who wrote it last, person or operator, and where."""
        for place, wrote in self.log.latest(Wrote, end):
            if (wrote.contact, wrote.target) == (contact, target):
                return Write(place, wrote)
        return None

    def latest_no(self, contact: str, target: str, before: bool | None, end: int) -> tuple[int, datetime | None] | None:
        """The latest no about the contact, its place and when it was said, whoever wrote it.

        UNSEEN and no date for one from before the campaign; None where there has been none. Who says no again to a
        preference changes nothing that could be seen, as it shows no date.
        """
        writes = [one for one in self.log.each(Wrote, 0, end) if (one[1].contact, one[1].target) == (contact, target)]
        for place, wrote in reversed(writes):
            is_unseen = is_preference(target) and wrote.by == PERSON and wrote.before is False
            if not wrote.after and not is_unseen:
                return place, wrote.at
        first = writes[0][1].before if writes else before
        return (UNSEEN, None) if first is False else None

    def was_known(self, contact: str, target: str, end: int) -> bool:
        """Whether a ledger may be said to have known the contact: something was written, or a whole run had it."""
        for place, event in self.log.each(Event, 0, end):
            if isinstance(event, Wrote) and event.by != PERSON and (event.contact, event.target) == (contact, target):
                return True
            if isinstance(event, Ended) and self._ran_with(place, event, contact, target):
                return True
        return False

    def was_let_go(self, activation: str, contact: str, target: str, start: int, end: int) -> bool:
        """Whether a whole run found that the contact had left, when leaving meant nothing."""
        runs = [(place, one) for place, one in self.log.each(Ended, start, end) if one.activation == activation]
        wishes = [self.wish_of(one, place) for place, one in runs if one.was_whole]
        return any(
            wish.target == target and wish.leaves == "nothing" and contact not in wish.people for wish in wishes if wish
        )

    def _ran_with(self, place: int, ended: Ended, contact: str, target: str) -> bool:
        if ended.was_killed or ended.ready != "True" or ended.reason not in ("Succeeded", "PartiallyApplied"):
            return False
        wish = self.wish_of(ended, place)
        was_about = wish is not None and wish.target == target and not wish.is_held and contact in wish.people
        return was_about and (ended.reason == "Succeeded" or self._was_settled(place, ended, contact))

    def _was_settled(self, place: int, ended: Ended, contact: str) -> bool:
        """Whether the work that ended there saw the contact, and was not refused to write it."""
        for _, event in self.log.latest(Event, place):
            if isinstance(event, Began) and event.activation == ended.activation:
                return False
            if isinstance(event, Showed | Refused) and (event.by, event.contact) == (ended.activation, contact):
                return isinstance(event, Showed)
        return False

    def look_before(self, write: Write) -> int:
        """Where its operator last saw the contact before it wrote.

        A look is for one attempt: after one that was done or came to nothing, it takes another look.
        """
        for place, event in self.log.latest(Event, write.place):
            if isinstance(event, Showed) and (event.by, event.contact) == (write.wrote.by, write.wrote.contact):
                return place
            if isinstance(event, Refused | Wrote) and (event.by, event.contact) == (
                write.wrote.by,
                write.wrote.contact,
            ):
                return write.place
        return write.place

    def forgotten_since(self, contact: str, place: int, end: int) -> bool:
        return any(one.contact == contact for _, one in self.log.each(Forgotten, max(place, 0), end))

    def ledgers_changed(self, end: int, start: int = 0) -> bool:
        return any(True for _ in self.log.each(LedgersChanged, start, end))

    def may_have_lost(self, contact: str, target: str, end: int) -> bool:
        """Whether ledgers changed after somebody who drove the target had looked at the contact."""
        for place, showed in self.log.each(Showed, 0, end):
            said = self.wishes(showed.by, place)
            if showed.contact == contact and said and said[-1][1].target == target:
                return self.ledgers_changed(end, place)
        return False

    def latest_loss(self, activation: str, contact: str, end: int) -> datetime | None:
        """When a run found that ledgers were lost, or the contact was erased from them."""
        for place, event in self.log.latest(Event, end):
            if isinstance(event, LedgersChanged):
                runs = (
                    one.at
                    for _, one in self.log.each(Ended, place, end)
                    if one.activation == activation and one.outcome
                )
                return next(runs, self.log.events[end - 1].at)
            if isinstance(event, Forgotten) and event.contact == contact:
                return event.at
        return None

    def has_released(self, owner: str, operator: str, target: str, start: int, end: int) -> bool:
        """Whether the owner of a target gave it up between two places.

        It is gone; or its operator ended a whole piece of work for another target, which it may write.
        """
        began: dict[str, int] = {}
        for place in range(start, end):
            event = self.log.events[place]
            if isinstance(event, Gone) and event.activation == owner:
                return True
            if isinstance(event, Began) and event.activation == owner:
                began[event.operator] = place
            if isinstance(event, Ended) and event.activation == owner and not event.was_killed:
                said = self.wishes(owner, began.get(event.operator, place))
                if said and said[-1][1].target != target and not said[-1][1].is_held:
                    return True
        return False
