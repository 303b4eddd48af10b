"""What is done to a contact, and what became of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

MOST_DETAILS = 5  # of what a sentence names; codes are Engage's, and there is no end to them


class Operation(StrEnum):
    """What a change does to a contact's membership."""

    ADD = "add"
    REMOVE = "remove"


class Entry(StrEnum):
    """What the ledger records of a contact; the latest counts, and only ADD makes a member.

    Whatever is sent is announced first, so that a crash between sending and recording leaves a trace: whoever is ASKED,
    LEAVING or CLEARING may be on the target or not, and is made what the audience says.
    """

    ADD = "add"
    REMOVE = "remove"
    ASKED = "asked"
    """About to be added."""
    LEAVING = "leaving"
    """About to be removed; was a member."""
    CLEARING = "clearing"
    """About to be removed; was no member, but may have been on the target."""
    VOID = "void"
    """What was asked is known not to have happened: as if there were no record."""
    DECLINED = "declined"
    """Engage showed the person's own no."""
    DOUBTED = "doubted"
    """Engage showed no yes, and the ledger that would tell whether the person said no was lost."""
    GONE = "gone"
    """Engage knows the contact no more."""


UNANSWERED = frozenset({Entry.ASKED, Entry.LEAVING, Entry.CLEARING})
MAY_BE_ON = UNANSWERED | {Entry.ADD}

ADOPTED = "adopted"
"""In the place of an approval: Engage was as the plan wants it before anything was sent."""

UNSENT = "unsent"
"""In the place of an approval: adopted after it was announced, as a look right before sending showed it so."""

RENEWED = "renewed"
"""In the place of an approval: it was so before. A member was sent the same again; or what came after it is not so."""

RESTORED = "restored"
"""In the place of an approval: Engage refused to remove the member."""


class Result(StrEnum):
    """What Engage said of one change. *Unknown* is never success: it stays in the next diff."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer for one contact; `detail` is Engage's error code or our own word, never a person's data."""

    contact_id: str
    result: Result
    detail: str = ""


NOT_APPLIED = "NotApplied"
"""Read back, a contact did not show the change; what was read may be older than the change."""

PUT_BACK = "PutBack"
"""A first change that did harm was undone: Engage refused nothing, so there is nothing to park."""
UNSEEN = "NotSeen"
"""A contact was to be read before it is written, and Engage's answer told nothing of it: nothing was sent."""

CONTACT_GONE = "ContactNotFound"
"""Engage's own word for a contact that it does not know; any other 404 is about the path, the trigger or the label."""


PARKED_FOR = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
"""DESIGN 4: one contact that Engage refuses does not cost a call a run."""


@dataclass(frozen=True, slots=True)
class Parking:
    """How often a change was refused, and until when it is not tried again."""

    attempts: int
    until: datetime


def parking(earlier_attempts: int, now: datetime) -> Parking:
    """After one more refusal."""
    return Parking(earlier_attempts + 1, now + PARKED_FOR[min(earlier_attempts, len(PARKED_FOR) - 1)])


@dataclass(slots=True)
class Account:
    """Counts of one run's deliveries: sent = accepted + rejected + unknown holds by construction.

    `adopted`, `declined` and `doubted` contacts were read, and nothing was sent; `later` ones are the next run's.
    `membership` is how many members the ledger has more than before the run. Of the rejected contacts, `unparked` are
    tried again by the next run.
    """

    counts: Counter[tuple[Operation, Result]] = field(default_factory=Counter)
    details: Counter[str] = field(default_factory=Counter)
    adopted: int = 0
    declined: int = 0
    doubted: int = 0
    later: int = 0
    membership: int = 0
    unparked: int = 0

    def record(self, operation: Operation, accepted: int, others: Iterable[Outcome]) -> None:
        self.counts[operation, Result.ACCEPTED] += accepted
        for outcome in others:
            self.counts[operation, outcome.result] += 1
            if outcome.detail:
                self.details[outcome.detail] += 1

    def take_in(self, other: "Account") -> None:
        """Count the changes of another account too, whose members are of another ledger."""
        self.counts += other.counts
        self.details += other.details

    def total(self, result: Result) -> int:
        return sum(self.counts[operation, result] for operation in Operation)

    @property
    def settled(self) -> int:
        """Of how many contacts nothing is left to do."""
        return self.total(Result.ACCEPTED) + self.adopted + self.declined + self.doubted

    @property
    def sent(self) -> int:
        return self.counts.total()

    def described(self) -> str:
        """What was not accepted, in words: `2 rejected, 1 unknown (ContactNotFound 2, timeout 1)`; empty if nothing."""
        counted = {result: self.total(result) for result in (Result.REJECTED, Result.UNKNOWN)}
        said = ", ".join(f"{count} {result.value}" for result, count in counted.items() if count)
        details = ", ".join(f"{detail} {count}" for detail, count in self.details.most_common(MOST_DETAILS))
        return f"{said} ({details})" if said and details else said
