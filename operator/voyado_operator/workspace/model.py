"""What goes into a workspace and comes out of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from voyado_operator.domain.delivery import Entry


@dataclass(frozen=True, slots=True)
class Columns:
    """The source's column names; at least one of `contact_id` and `email` is set."""

    contact_id: str | None = None
    email: str | None = None
    decided_at: str | None = None


class Ambiguous(StrEnum):
    """What becomes of the contacts of an ambiguous address."""

    SKIP = "skip"
    INCLUDE_ALL = "includeAll"
    """For opt-outs: whoever of them it was has said no."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One change: when the row says that the person decided, and the hashes of the addresses it was matched by.

    `entry` and `entered_at` are the ledger's latest record, where that is no membership; `refusals` how
    often Engage refused the change in a row.
    """

    decided_at: datetime | None = None
    addresses: tuple[str, ...] = ()
    entry: Entry | None = None
    entered_at: datetime | None = None
    refusals: int = 0


class Lot(StrEnum):
    """Changes of contacts that the ledger has as members, and of all others."""

    MEMBERS = "members"
    OTHERS = "others"


class Addresses(dict[str, str]):
    """Address by its keyed hash, in memory only; never shown in a log or a traceback."""

    def __repr__(self) -> str:
        return f"<{len(self)} addresses>"
