"""Whether the column that says when people decided says that, or when a row was made or read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

SAMPLED = 64  # contacts that are compared with the run before
SEVERAL = 3  # of fewer rows the same moment says nothing
NEARLY_ALL = Fraction(9, 10)

NOT_BEFORE = timedelta(minutes=1)
"""A decision that is so short before the start of a run, or later, is no decision: `now() AS decided_at`."""

Sampled = Mapping[str, str]
"""Contact to decision, each a few digits of a keyed hash."""


@dataclass(frozen=True, slots=True)
class DecisionColumn:
    """What an audience's column says: in `unusable` of the `rows` no moment before the run; `only` if it is the same in
    every row; of the `compared` contacts that the run before has seen, `moved` decided at another moment by now.
    """

    rows: int = 0
    unusable: int = 0
    only: datetime | None = None
    compared: int = 0
    moved: int = 0

    @property
    def is_constant(self) -> bool:
        return self.only is not None and self.rows >= SEVERAL

    @property
    def is_moving(self) -> bool:
        return self.compared >= SEVERAL and self.moved >= NEARLY_ALL * self.compared


def moved(before: Sampled, after: Sampled) -> tuple[int, int]:
    """How many contacts are in both, and how many of these decided at another moment."""
    both = before.keys() & after.keys()
    return len(both), sum(before[one] != after[one] for one in both)
