"""A query in a SQLite file, through ADBC, opened read-only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic

from adbc_driver_sqlite import dbapi
from arro3.core import RecordBatch, RecordBatchReader

from voyado_operator.arrow import ArrowStream, Batches
from voyado_operator.sources.failures import translated


@dataclass(frozen=True, slots=True)
class SQLite:
    """The driver cannot cancel a statement (NOT_IMPLEMENTED in 1.13), so the time-out is looked at between batches.

    As a subquery nothing but a SELECT goes: mode=ro does not hold for what an ATTACH opens, or creates.
    """

    file: Path
    statement: str = field(repr=False)
    timeout: timedelta

    @contextmanager
    def read(self) -> Iterator[ArrowStream]:
        deadline = monotonic() + self.timeout.total_seconds()
        with translated("opening the file"):
            connection = dbapi.connect(f"file:{self.file}?mode=ro")
        with connection, connection.cursor() as cursor:
            with translated("running the query"):
                cursor.execute(f"select * from (\n{self.statement})")
                batches = Batches(cursor.fetch_arrow())
            with translated("returning rows"):
                yield RecordBatchReader.from_batches(batches.schema, _until(deadline, batches))


def _until(deadline: float, batches: Batches) -> Iterator[RecordBatch]:
    for batch in batches:
        if monotonic() > deadline:
            raise TimeoutError("spec.audience.sql.timeout")
        yield batch
