"""A query in a DuckDB file, opened read-only and closed to everything else.

DuckDB's own client and not its ADBC driver: only here can a running query be interrupted and the settings be locked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Timer

import duckdb

from voyado_operator.arrow import ArrowStream
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.sources.failures import translated

# Files, extensions and other databases are out of reach, and SQL cannot switch that back on.
CLOSED = {"enable_external_access": "false", "lock_configuration": "true", "memory_limit": "512MB"}


@dataclass(frozen=True, slots=True)
class DuckDBFile:
    """Readers in this process share one instance of the file, so the settings are the same for all."""

    file: Path
    statement: str = field(repr=False)
    timeout: timedelta

    @contextmanager
    def read(self) -> Iterator[ArrowStream]:
        with translated("opening the file"):
            connection = duckdb.connect(str(self.file), read_only=True, config=dict(CLOSED))
        with connection, interrupted_after(self.timeout, connection):
            with translated("running the query"):
                stream = _selected(connection, self.statement)
            with translated("returning rows"):
                yield stream


@contextmanager
def interrupted_after(timeout: timedelta, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    timer = Timer(timeout.total_seconds(), connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _selected(connection: duckdb.DuckDBPyConnection, statement: str) -> ArrowStream:
    statements = connection.extract_statements(statement)
    if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
        raise InvalidSpec("spec.audience.sql.query: write one SELECT statement")
    return connection.sql(statements[0])
