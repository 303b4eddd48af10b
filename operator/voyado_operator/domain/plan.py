"""The plan of a run in numbers, as the guards and the status see it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AudienceCounts:
    """What the source returned, after normalising and matching.

    `rows` is every source row; `invalid` rows are null, malformed or contradictory; `by_email` are the valid rows that
    carry no contactId; of these `unmatched` are unknown to Engage, `ambiguous` match several contacts and `pending`
    were not looked up yet. `contacts` are the distinct contacts that remain.
    """

    rows: int
    invalid: int
    duplicates: int
    by_email: int
    unmatched: int
    ambiguous: int
    pending: int
    contacts: int


@dataclass(frozen=True, slots=True)
class DiffCounts:
    """Audience against ledger: `entering` and `leaving` contacts, and those in both.

    `members` are the acknowledged ones before the run; of others that leave it is only unknown whether they are on.
    """

    entering: int
    leaving: int
    unchanged: int
    members: int


@dataclass(frozen=True, slots=True)
class Window:
    """How many contacts were sent a change over the guards' rolling window, approved ones left out.

    `peak` is the highest membership in the window, the present one included.
    """

    additions: int
    removals: int
    peak: int


@dataclass(frozen=True, slots=True)
class FormerPlan:
    """What an edit takes off the target that it left.

    `leaving` contacts may go out on top of those of the window. `unreachable` says why nobody can be taken off it;
    empty: it can be reached. `members` are on it.
    """

    target: str
    members: int
    leaving: int
    window: Window
    unreachable: str = ""


@dataclass(frozen=True, slots=True)
class WaitingPlan:
    """A blocked plan a person decides on; its contact sets are stored beside the ledger.

    `digest` is what an approval quotes; `uid` and `generation` are of the object that asked for it; `entering` and
    `leaving` count what waits; `blocked_by` are guard and message.
    """

    digest: str
    uid: str
    generation: int
    entering: int
    leaving: int
    blocked_by: tuple[tuple[str, str], ...]
    created_at: datetime
    expires_at: datetime
    approved: bool = False
