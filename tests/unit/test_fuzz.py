"""Parsers of what others write: whatever it is, they answer or refuse, and never break."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from voyado_operator.api.activation import Schedule as ScheduleSpec
from voyado_operator.api.connection import EndpointCall
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.engage import answers
from voyado_operator.engage.hosts import check_url
from voyado_operator.reconcile.limits import schedule
from voyado_operator.targets.label_endpoint import filled_body, filled_path

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
NAMES = """
    id attributes preferences consents meta modifiedOn date value status state errors succeeded failed errorCode
    messageDetails multipleMatchesFound contactId acceptsEmail
"""
fields = st.sampled_from(NAMES.split())
bodies = st.recursive(
    values, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(fields, inner, max_size=6), max_leaves=20
)


@given(bodies)
def test_no_answer_of_engage_breaks_a_reader(body: Any) -> None:
    contact = answers.contact(body)
    assert contact is None or isinstance(contact.attributes, dict)
    assert len(answers.error_code(body)) <= 64
    answers.batch(body, 3)
    answers.several_ids(body)
    found = answers.contact_id(body)
    assert found is None or len(found) == 36
    answers.moment(body)


@given(st.text() | st.from_regex(r"[*/,0-9 A-Z#LW-]{9,40}"))
@example("0 0 31 2 *")
@example("* * * * 8")
def test_a_cron_expression_runs_or_is_refused(expression: str) -> None:
    with suppress(InvalidSpec, ValidationError):
        schedule(ScheduleSpec.model_validate({"cron": expression}))


@given(st.text() | st.from_regex(r"[0-9]{1,4}(h|m|s|ms|us|d)([0-9]{1,4}[hms])?"))
def test_a_duration_is_read_or_refused(every: str) -> None:
    with suppress(InvalidSpec, ValidationError):
        schedule(ScheduleSpec.model_validate({"every": every}))


@given(st.text(max_size=64))
def test_a_time_zone_is_known_or_refused(zone: str) -> None:
    with suppress(InvalidSpec, ValidationError):
        schedule(ScheduleSpec.model_validate({"cron": "0 6 * * *", "timeZone": zone}))


@given(label=st.text(min_size=1), contact=st.text(min_size=1))
@example(label="../../../contacts", contact="x")
@example(label='"}, {"x": "', contact="{label}")
@example(label="a/b?c#d\n", contact="ÅÄÖ%2f")
def test_a_value_stays_where_the_template_has_it(label: str, contact: str) -> None:
    call = EndpointCall(
        method="PUT",
        path="/api/v3/contacts/{contactId}/labels/{label}",
        body='{"name": "{label}", "list": ["{contactId}"]}',
    )
    path = filled_path(call, contact.replace("{label}", ""), label)
    parts = urlsplit(f"https://acme.voyado.com{path}")
    assert (parts.netloc, parts.query, parts.fragment) == ("acme.voyado.com", "", "")
    segments = parts.path.split("/")
    assert len(segments) == 7
    assert unquote(segments[6]) == label
    body = json.loads(json.dumps(filled_body(call, "an-id", label, "body")))
    assert body == {"name": label, "list": ["an-id"]}


@given(st.text())
def test_a_body_is_json_or_refused(body: str) -> None:
    with suppress(InvalidSpec):
        filled_body(EndpointCall.model_construct(method="POST", path="/", body=body), "an-id", "vip", "body")


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.voyado.com@evil.example",
        "https://acme.voyado.com.evil.example",
        "https://evil.example#.voyado.com",
        "https://evil.example/acme.voyado.com",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "http://acme.voyado.com",
        "https://ACME.voyado.com.",
        "//acme.voyado.com",
        "",
    ],
)
def test_the_key_is_sent_to_no_other_host(url: str) -> None:
    with pytest.raises(InvalidSpec):
        check_url(url, ["*.voyado.com"])


@given(st.text())
def test_no_url_breaks_the_check(url: str) -> None:
    try:
        check_url(url, ["*.voyado.com"])
    except InvalidSpec:
        return
    host = urlsplit(url).hostname or ""
    assert host.lower().endswith(".voyado.com")
