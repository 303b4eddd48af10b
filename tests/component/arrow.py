"""Rows as an Arrow stream, and back."""

from collections.abc import Iterator, Sequence

from arro3.core import Array, DataType, RecordBatch, RecordBatchReader, Table
from voyado_operator.arrow import ArrowStream
from voyado_operator.domain.standing import Standing
from voyado_operator.ledger import ids
from voyado_operator.ledger.members import Ledger
from voyado_operator.workspace import changes
from voyado_operator.workspace.engine import engine
from voyado_operator.workspace.folding import fold

TEXT = DataType.utf8()


def table(**columns: Sequence[str | None]) -> Table:
    return Table.from_pydict({name: Array(list(values), type=TEXT) for name, values in columns.items()})


def standing(contact_ids: Sequence[str]) -> Standing:
    """Members, as a ledger shows them."""
    return Standing(table(contact_id=contact_ids, op=[None] * len(contact_ids)))


def breaking_off(rows: Table, message: str) -> RecordBatchReader:
    """The rows, and then an error: a warehouse that dies while it answers."""

    def batches() -> Iterator[RecordBatch]:
        yield from rows.to_batches()
        raise OSError(message)

    return RecordBatchReader.from_batches(rows.schema, batches())


def rows_of(stream: ArrowStream) -> list[dict[str, object]]:
    """With contactIds as text, be they text or bytes."""
    rows = [row for batch in RecordBatchReader.from_arrow(stream) for row in batch.to_struct_array().to_pylist()]
    return [
        row | {"contact_id": ids.text(row["contact_id"])} if isinstance(row.get("contact_id"), bytes) else row
        for row in rows
    ]


def on_target(ledger: Ledger) -> list[tuple[str, str]]:
    """Who is on the target, or may be, and the op, as often as a run takes them for it."""
    with engine("512MB") as connection:
        connection.execute(changes.SCHEMA)
        fold(connection, ledger.standing())
        return connection.execute("select contact_id::varchar, op::varchar from standing").fetchall()


def members(ledger: Ledger) -> list[str]:
    """The contact ids of whom it takes for members, as often as it has them."""
    return [contact_id for contact_id, op in on_target(ledger) if op == "add"]


def contacts(stream: ArrowStream) -> set[str]:
    """The contact ids of a stream, which has each once."""
    found = [str(row["contact_id"]) for row in rows_of(stream)]
    assert len(found) == len(set(found))
    return set(found)
