"""contactIds of a source as 16 bytes, where all of them are plain GUIDs."""

from arro3.core import ChunkedArray, Table

from voyado_operator.arrow import cut, text
from voyado_operator.domain.contacts import LENGTH, binary


def as_bytes(rows: Table, column: str) -> Table | None:
    """The rows with the text of `column` as the 16 bytes of its GUIDs; None if anything else is among them.

    40 ns an id; DuckDB, which makes sense of other spellings too, takes 250.
    """
    try:
        guids = ChunkedArray([cut(binary(text(part, LENGTH)), 16) for part in rows[column].chunks])
    except (TypeError, ValueError):
        return None
    return rows.set_column(rows.column_names.index(column), column, guids)
