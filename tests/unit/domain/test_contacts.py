"""Many contacts in one piece of text."""

from itertools import chain, repeat
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.domain.contacts import FEW, LENGTH, Contacts, binary

GUIDS = st.lists(st.uuids().map(str), max_size=20)


@given(guids=GUIDS, bounds=st.tuples(*(st.none() | st.integers(-25, 25) for _ in range(2))))
def test_they_are_the_sequence_that_they_were_made_of(guids: list[str], bounds: tuple[int | None, int | None]) -> None:
    contacts, part = Contacts.of(guids), slice(*bounds)

    assert list(contacts) == guids == [contacts[index] for index in range(len(contacts))]
    assert list(contacts[part]) == guids[part]
    assert contacts.values == b"".join(UUID(one).bytes for one in guids)
    assert Contacts.of(contacts) is contacts


def test_there_is_none_beyond_the_end() -> None:
    contacts = Contacts.of([str(UUID(int=1))])

    assert contacts[-1] == contacts[0]
    with pytest.raises(IndexError):
        contacts[1]
    with pytest.raises(ValueError, match="gaps"):
        contacts[::-1]


@given(several=st.lists(GUIDS, max_size=4))
def test_joined_they_are_one_after_the_other(several: list[list[str]]) -> None:
    assert list(Contacts.joined(map(Contacts.of, several))) == [one for guids in several for one in guids]


@given(several=st.lists(GUIDS, max_size=5), first=st.integers(1, 9), others=st.integers(1, 9))
def test_pages_are_as_large_as_asked_for_whatever_came_at_a_time(
    several: list[list[str]], first: int, others: int
) -> None:
    everybody = [one for guids in several for one in guids]
    texts = (memoryview("".join(guids).encode()) for guids in several)

    pages = [list(page) for page in Contacts.pages(texts, chain([first], repeat(others)))]

    assert [one for page in pages for one in page] == everybody
    assert all(len(page) == size for page, size in zip(pages[:-1], chain([first], repeat(others)), strict=False))
    assert [] not in pages


@pytest.mark.parametrize(
    "wrong",
    [
        ["2f6b8a0e-0000-4000-8000-000000", "2f6b8a0e-0000-4000-8000-000000000000000000"],
        ["2f6b8a0e-0000-4000-8000-000000000001", "2f6b8a0e"],
        ["2f6b8a0e-0000-4000-8000-00000000000ä"],
    ],
    ids=["lengths that make up for each other", "too short", "longer in bytes"],
)
def test_what_is_no_guid_is_not_taken_for_one(wrong: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^(?!.*2f6b)"):
        Contacts.of(wrong)


@pytest.mark.parametrize("end", ["00000000000x", "0000000000--", "-" * 12], ids=["no digit", "hyphens", "only hyphens"])
def test_what_has_other_digits_has_no_bytes(end: str) -> None:
    with pytest.raises(ValueError, match=r"^(?!.*2f6b)"):
        _ = Contacts.of([f"2f6b8a0e-0000-4000-8000-{end}"]).values


@pytest.mark.parametrize("missing", [1, 2, 4, 35], ids="{} characters".format)
@pytest.mark.parametrize("guids", [2, FEW + 1], ids=["in one piece", "in two"])
def test_text_that_ends_within_a_guid_has_no_bytes(guids: int, missing: int) -> None:
    text = "".join(str(UUID(int=number)) for number in range(guids)).encode()

    assert len(binary(text)) == 16 * guids
    with pytest.raises(ValueError, match="no canonical GUID"):
        binary(text[:-missing])


GUID = "2f6b8a0e-1d3c-4b5a-8c7d-9e0f1a2b3c4d"


@pytest.mark.parametrize(
    "wrong",
    [
        *(f"{GUID[:place]}5{GUID[place + 1 :]}" for place, character in enumerate(GUID) if character == "-"),
        "2f6b8a0e1d3c4b5a8c7d9e0f1a2b3c4d5e6f",
        f"{GUID[:-1]}{GUID}0",
        f"{GUID}0{GUID[:-1]}",
    ],
)
def test_no_neighbour_gets_the_bytes_of_what_is_no_guid(wrong: str) -> None:
    assert binary(GUID.encode() * 2) == UUID(GUID).bytes * 2
    with pytest.raises(ValueError, match=r"^(?!.*2f6b)"):
        binary(f"{GUID}{wrong}{GUID}".encode())


def test_a_guid_as_text_is_that_long() -> None:
    assert len(str(UUID(int=1))) == LENGTH
