"""Rows of the warehouse, for the contestants that bring no source of their own: from DuckDB or PostgreSQL."""

from collections.abc import Iterator
from typing import Any

DUCKDB = "duckdb:///"


def pages(source: str, query: str, rows: int) -> Iterator[list[tuple[Any, ...]]]:
    """Tuples, `rows` at a time, with the client that is used most."""
    if source.startswith(DUCKDB):
        import duckdb

        cursor: Any = duckdb.connect(source.removeprefix(DUCKDB), read_only=True).execute(query)
    else:
        import psycopg2

        cursor = psycopg2.connect(source).cursor(name="pages")  # a named one streams
        cursor.execute(query)
    while page := cursor.fetchmany(rows):
        yield page


def batches(source: str, query: str, rows: int) -> Iterator[Any]:
    """Record batches of pyarrow; from DuckDB of so many rows."""
    if source.startswith(DUCKDB):
        import duckdb

        yield from duckdb.connect(source.removeprefix(DUCKDB), read_only=True).execute(query).to_arrow_reader(rows)
        return
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(source) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        yield from cursor.fetch_record_batch()
