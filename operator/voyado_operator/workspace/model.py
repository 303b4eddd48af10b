"""What goes into a workspace and comes out of it."""

from dataclasses import dataclass
from enum import StrEnum


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


class Addresses(dict[str, str]):
    """Address by its keyed hash, in memory only; never shown in a log or a traceback."""

    def __repr__(self) -> str:
        return f"<{len(self)} addresses>"
