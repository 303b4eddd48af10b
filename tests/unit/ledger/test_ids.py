"""contactIds as the 16 bytes that a ledger holds."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator import arrow
from voyado_operator.domain.contacts import Contacts
from voyado_operator.ledger import ids


@given(contacts=st.lists(st.uuids().map(str)))
def test_ids_become_bytes_and_text_again(contacts: list[str]) -> None:
    column = ids.column(Contacts.of(contacts))

    assert not arrow._in_use, "it looks at nobody else's memory any more"
    assert column.to_pylist() == [UUID(one).bytes for one in contacts]
    assert [ids.text(one) for one in column.to_pylist()] == contacts


def test_an_error_on_its_way_past_a_column_stays_what_it_was() -> None:
    with pytest.raises(ZeroDivisionError):
        _ = [ids.column(Contacts.of([str(UUID(int=1))])), 1 / 0]
