"""What Engage's answers mean, whatever they look like."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.engage import answers
from voyado_operator.engage.answers import BatchAnswer
from voyado_operator.engage.hosts import check_url

ONE, OTHER = (f"{number:08x}-0000-4000-8000-000000000000" for number in range(2))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(anything)
def test_no_answer_breaks_the_reader(body: Any) -> None:
    answers.error_code(body)
    answers.contact_id(body)
    answers.several_ids(body)
    answers.contact(body)
    answers.batch_id(body)
    assert not (answers.batch(body, 2).refused and not answers.batch(body, 2).is_finished)


@given(st.dictionaries(st.sampled_from(["status", "state", "succeeded", "failed", "errors"]), anything))
def test_a_batch_is_told_row_by_row_only_when_the_numbers_add_up(body: dict[str, Any]) -> None:
    refused = answers.batch(body, 3).refused
    if refused is not None:
        assert body["succeeded"] + body["failed"] == 3
        assert len(refused) == body["failed"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"status": "Processing"}, BatchAnswer(is_finished=False, refused=None)),
        ({}, BatchAnswer(is_finished=False, refused=None)),
        ({"status": "Completed"}, BatchAnswer(is_finished=True, refused=None)),
        ({"state": "done", "succeeded": 2, "failed": 0}, BatchAnswer(is_finished=True, refused={})),
        ({"Status": "Completed", "Succeeded": 1, "Failed": 0}, BatchAnswer(is_finished=True, refused=None)),
        (
            {"status": "Completed", "succeeded": 1, "failed": 1, "errors": [{"contactId": ONE, "errorCode": "Bad"}]},
            BatchAnswer(is_finished=True, refused={ONE: "Bad"}),
        ),
        (
            {"status": "Completed", "succeeded": 1, "failed": 1},
            BatchAnswer(is_finished=True, refused=None, is_suspect=True),
        ),
        ({"status": "Failed"}, BatchAnswer(is_finished=True, refused=None, is_suspect=True)),
    ],
)
def test_a_batch_of_two(body: dict[str, Any], expected: BatchAnswer) -> None:
    assert answers.batch(body, 2) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [(ONE, ONE), (ONE.upper(), ONE), ({"id": ONE}, ONE), ("anna@example.com", None), (5, None), (None, None)],
)
def test_an_id(body: Any, expected: str | None) -> None:
    assert answers.contact_id(body) == expected


def test_only_what_looks_like_a_code_is_one() -> None:
    assert answers.error_code({"errorCode": "ContactNotFound"}) == "ContactNotFound"
    assert answers.error_code({"errorCode": "anna@example.com is not valid"}) == ""


def test_preferences_are_read_in_every_spelling() -> None:
    """engage-api.md 3: casing and plural are not uniform."""
    for name in ("acceptsEmail", "AcceptsEmails", "acceptsemail"):
        contact = answers.contact({"attributes": {}, "preferences": {name: True}})
        assert contact is not None
        assert contact.preferences == {"acceptsemail": True}


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://acme.voyado.com", True),
        ("https://acme.staging.voyado.com", True),
        ("https://voyado.com.evil.example", False),
        ("https://acme.voyado.com@evil.example", False),
        ("http://acme.voyado.com", False),
        ("http://127.0.0.1:18080", True),
        ("http://[::1]:18080", False),
    ],
)
def test_the_key_goes_to_allowed_hosts_only(url: str, allowed: bool) -> None:
    hosts = ["*.voyado.com", "127.0.0.1"]
    if allowed:
        check_url(url, hosts)
    else:
        with pytest.raises(InvalidSpec):
            check_url(url, hosts)


@pytest.mark.parametrize(
    ("said", "created"),
    [
        ("2026-06-01T12:00:00Z", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("2026-06-01T12:00:00", datetime(2026, 5, 31, 22, tzinfo=UTC)),
        ("yesterday", None),
        (None, None),
    ],
)
def test_a_contact_was_created_at_the_earliest_that_engage_can_mean(said: str | None, created: datetime | None) -> None:
    found = answers.contact({"attributes": {}, "meta": {"createdOn": said}})
    assert found is not None
    assert found.created == created
