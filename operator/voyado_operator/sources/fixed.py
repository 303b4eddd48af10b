"""A short fixed list in the manifest."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from arro3.core import Array, DataType, Table

from voyado_operator.arrow import ArrowStream

COLUMN = "contact_id"


@dataclass(frozen=True, slots=True)
class FixedList:
    """One column, COLUMN."""

    contact_ids: Sequence[str]

    @contextmanager
    def read(self) -> Iterator[ArrowStream]:
        yield Table.from_pydict({COLUMN: Array(list(self.contact_ids), type=DataType.utf8())})
