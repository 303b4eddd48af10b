"""Names from outside: what is a name is shown, what may be somebody's data is not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.domain.canary import harm
from voyado_operator.domain.contact import Contact
from voyado_operator.domain.names import MOST, listed, shown

NAMES = ("contact_id", "ContactId", "e-mail", "förnamn", "_id", "address_2024", "label_vip", "MEMBER", "x")
DATA = (
    "anna@example.com",
    "x anna@example.com",
    "2f6b8a0e-1111-4222-8333-444455556666",
    "{2F6B8A0E-1111-4222-8333-444455556666}",
    "2f6b8a0e111142228333444455556666",
    "0",
    "2024",
    "46701234567",
    "+46 70 123 45 67",
    "070-1234567",
    "tel_46701234567",
    "19850302-1234",
    "1985-03-02",
)
NEITHER = ("", "?column?", "count(*)", "Anna Andersson", "a" * 41, "a\nb", "a\x00b", "\u202eid", "a;b", "'id'", "x=1")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown(name: str) -> None:
    assert listed([name]) == shown(name) == name


@pytest.mark.parametrize("name", DATA)
def test_beside_data_no_name_is_shown(name: str) -> None:
    assert listed(["Anna", name, "Andersson"]) == "3, whose names look like data and are not shown"
    assert shown(name) == "whose name is not shown"


@pytest.mark.parametrize("name", NEITHER)
def test_what_is_no_identifier_is_counted(name: str) -> None:
    assert listed([name]) == "1, whose names are not shown"
    assert listed(["id", name, "mail"]) == "id, mail and 1 more"
    assert shown(name) == "whose name is not shown"


@pytest.mark.parametrize(("number", "end"), [(MOST, f"c{MOST - 1}"), (MOST + 1, "and 1 more"), (5000, "and 4990 more")])
def test_ten_are_shown_at_most(number: int, end: str) -> None:
    said = listed([f"c{index}" for index in range(number)])

    assert said.endswith(end)
    assert len(said) < 100


@given(st.lists(st.one_of(st.text(max_size=80), st.emails(), st.uuids().map(str), st.sampled_from(NAMES)), max_size=40))
def test_whatever_the_names_are(names: list[str]) -> None:
    said = listed(names)

    assert len(said) <= MOST * 42 + 20
    assert "@" not in said
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", said)
    assert said.isprintable()


def test_an_attribute_of_engage_that_changed_too() -> None:
    before = Contact({"mail_ok": 1, "anna@example.com": 1}, {}, {}, None)
    after = Contact({"mail_ok": 2, "anna@example.com": 2}, {}, {}, None)

    assert harm(before, after, None) == [
        "the attribute whose name is not shown changed too",
        "the attribute mail_ok changed too",
    ]
