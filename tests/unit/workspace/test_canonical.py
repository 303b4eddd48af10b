"""Which contactIds are taken for 16 bytes without DuckDB's having a look."""

from uuid import UUID

import pytest
from arro3.core import Array, DataType, Table
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.workspace.canonical import as_bytes

ANNA, BERT = "2f6b8a0e-0000-4000-8000-00000000000a", "2F6B8A0E-1111-4000-8000-00000000000B"


def audience(*contact_ids: str | None) -> Table:
    text = DataType.utf8()
    numbers = [str(number) for number, _ in enumerate(contact_ids)]
    return Table.from_pydict({"n": Array(numbers, type=text), "id": Array(list(contact_ids), type=text)})


@given(guids=st.lists(st.uuids().map(str), min_size=1, max_size=20), chunk=st.integers(1, 20))
def test_guids_are(guids: list[str], chunk: int) -> None:
    rows = as_bytes(audience(*guids).rechunk(max_chunksize=chunk), "id")

    assert rows is not None
    assert rows["id"].to_pylist() == [UUID(one).bytes for one in guids]
    assert rows["n"].to_pylist() == [str(number) for number, _ in enumerate(guids)]


def test_so_are_more_than_are_looked_at_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voyado_operator.domain.contacts.FEW", 3)
    guids = [str(UUID(int=number)) for number in range(13)]

    rows = as_bytes(audience(*guids), "id")

    assert rows is not None
    assert rows["id"].to_pylist() == [UUID(one).bytes for one in guids]


def test_capital_letters_are_digits_too() -> None:
    rows = as_bytes(audience(BERT), "id")

    assert rows is not None
    assert rows["id"].to_pylist() == [UUID(BERT).bytes]


@pytest.mark.parametrize(
    "others",
    [
        [None],
        [""],
        [f"{{{BERT}}}"],
        [f" {BERT}"],
        [BERT.replace("-", "")],
        [BERT[:35] + "x"],
        [BERT[1:9] + BERT[0] + BERT[9:]],
        [BERT[:35] + "é"],
        [BERT[:34] + "é"],
        [BERT[:-1], BERT[-1] + BERT],
        [BERT + BERT, ""],
        [BERT[:24] + BERT[25:] + "-", BERT],
        [BERT[:34] + "--"],
        [BERT[:35] + "-", BERT[:35] + "-"],
        ["-" * 36],
    ],
    ids=[
        "null",
        "empty",
        "braces",
        "a blank",
        "no hyphens",
        "no digit",
        "a hyphen elsewhere",
        "one byte too many",
        "36 bytes with a letter of two",
        "one that is cut off and one with the rest",
        "two in one",
        "a hyphen at the end",
        "two hyphens at the end",
        "a hyphen at the end of two",
        "nothing but hyphens",
    ],
)
def test_what_else_there_is_leaves_all_of_them_to_duckdb(others: list[str | None]) -> None:
    assert as_bytes(audience(ANNA, *others, ANNA), "id") is None


def test_so_does_one_of_them_in_a_later_part() -> None:
    assert as_bytes(audience(ANNA, BERT, None).rechunk(max_chunksize=2), "id") is None


def test_so_does_another_type() -> None:
    assert as_bytes(Table.from_pydict({"id": Array([ANNA], type=DataType.large_utf8())}), "id") is None
