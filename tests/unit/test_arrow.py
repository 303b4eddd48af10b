"""Arrow streams read batch by batch, by our own reading of the C interface."""

from collections.abc import Iterator

import pytest
from arro3.core import Array, DataType, RecordBatch, RecordBatchReader, Table
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.arrow import Batches, text

ROWS = Table.from_pydict(
    {
        "contact_id": Array(["a", None, "c", "d"], type=DataType.utf8()),
        "seq": Array([1, 2, 3, None], type=DataType.int64()),
    }
)


def rows(batches: Batches) -> list[dict[str, object]]:
    return [row for batch in batches for row in batch.to_struct_array().to_pylist()]


@pytest.mark.parametrize("chunk", [1, 3, 4])
def test_a_stream_comes_as_it_was_made(chunk: int) -> None:
    batches = Batches(ROWS.rechunk(max_chunksize=chunk))

    assert batches.schema == ROWS.schema
    assert rows(batches) == [
        {"contact_id": "a", "seq": 1},
        {"contact_id": None, "seq": 2},
        {"contact_id": "c", "seq": 3},
        {"contact_id": "d", "seq": None},
    ]


def test_a_stream_of_nothing_has_a_schema() -> None:
    batches = Batches(RecordBatchReader.from_batches(ROWS.schema, []))

    assert batches.schema.names == ["contact_id", "seq"]
    assert rows(batches) == []


def test_a_stream_that_breaks_says_why_after_what_came_before() -> None:
    def breaking() -> Iterator[RecordBatch]:
        yield from ROWS.to_batches()
        raise ValueError("the line is cut")

    batches = iter(Batches(RecordBatchReader.from_batches(ROWS.schema, breaking())))

    assert next(batches).num_rows == len(ROWS)
    with pytest.raises(OSError, match="the line is cut"):
        next(batches)


def test_a_batch_outlives_its_stream() -> None:
    first = next(iter(Batches(ROWS)))

    assert first["seq"].to_pylist() == [1, 2, 3, None]


@given(
    values=st.lists(st.text("ab", min_size=2, max_size=2), max_size=9),
    start=st.integers(0, 9),
    length=st.integers(0, 9),
)
def test_the_text_of_a_part_of_an_array_is_that_of_its_values(values: list[str], start: int, length: int) -> None:
    start = min(start, len(values))
    part = Array(values, type=DataType.utf8()).slice(start, min(length, len(values) - start))

    assert bytes(text(part, 2)) == "".join(values[start : start + length]).encode()


@pytest.mark.parametrize("values", [["ab", None], ["a", "bcd"], ["abc"]])
def test_values_of_another_width_are_not_taken_for_text_of_one(values: list[str | None]) -> None:
    with pytest.raises(ValueError, match="2 bytes"):
        text(Array(values, type=DataType.utf8()), 2)


def test_text_is_there_as_long_as_somebody_looks_at_it() -> None:
    long = "x" * 10_000_000  # memory that goes back to the system at once when it is freed
    seen = text(Array([long], type=DataType.utf8()), len(long))

    assert bytes(seen) == long.encode()


def test_text_is_not_read_as_what_it_is_not() -> None:
    with pytest.raises(TypeError, match="text comes as"):
        text(Array(["a"], type=DataType.large_utf8()), 1)
