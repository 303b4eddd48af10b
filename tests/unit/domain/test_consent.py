"""No opt-in is ever written over a "no" that is newer than what justifies it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.domain.consent import Evidence, OptIn, may_opt_in, opt_in
from voyado_operator.domain.contact import ConsentState, Contact, Facet
from voyado_operator.domain.delivery import Entry

NOW = datetime(2026, 6, 1, tzinfo=UTC)
EMAIL, TERMS = Facet("preference", "acceptsEmail", True), Facet("consent", "memberTerms", True)
moments = st.integers(-10, 10).map(lambda days: NOW + timedelta(days=days))
entries = st.sampled_from([Entry.DOUBTED, Entry.REMOVE, Entry.DECLINED, Entry.GONE, Entry.ASKED, Entry.LEAVING])


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    entry = draw(st.none() | entries)
    entered_at = draw(moments) if entry else None
    return Evidence(draw(st.none() | moments), entry, entered_at, draw(st.none() | moments), draw(st.none() | moments))


def is_newer_than_the_erasure(evidence: Evidence) -> bool:
    decided, erased = evidence.decided_at, evidence.forgotten_at
    return erased is None or (decided is not None and decided > erased)


@given(evidences(), st.none() | st.booleans(), st.none() | moments)
def test_a_preference(evidence: Evidence, value: bool | None, modified: datetime | None) -> None:
    contact = Contact(preferences={} if value is None else {"acceptsemail": value}, modified=modified)
    judged = opt_in(EMAIL, contact, evidence)
    assert (judged is OptIn.ADOPT) == (value is True)
    assert (judged is OptIn.UNREADABLE) == (value is None)
    if judged is not OptIn.WRITE:
        return
    assert is_newer_than_the_erasure(evidence)
    assert may_opt_in(EMAIL, evidence)
    # The no may be as new as the latest moment of which it is known that it could have been said.
    noes = [no for no in (evidence.entered_at, evidence.lost_at) if no is not None]
    untouched = (
        evidence.entry is Entry.ASKED
        and evidence.entered_at is not None
        and modified is not None
        and modified < evidence.entered_at - timedelta(seconds=1)
    )
    decided = evidence.decided_at
    assert untouched or all(decided is not None and decided > no for no in noes)


@given(evidences())
def test_whom_no_look_can_speak_for_is_not_announced(evidence: Evidence) -> None:
    """Who may be opted in by the records is whoever is opted in over a no that shows, for whom nothing was asked."""
    never = Contact(preferences={"acceptsemail": False}, modified=NOW + timedelta(days=99))
    if evidence.entry is not Entry.ASKED:
        assert may_opt_in(EMAIL, evidence) == (opt_in(EMAIL, never, evidence) is OptIn.WRITE)
    assert may_opt_in(TERMS, evidence) == (opt_in(TERMS, Contact(consents={}), evidence) is OptIn.WRITE)


@given(evidences(), st.none() | st.booleans(), st.none() | moments)
def test_a_consent(evidence: Evidence, value: bool | None, since: datetime | None) -> None:
    consents = {} if value is None else {"memberTerms": ConsentState(value, since)}
    judged = opt_in(TERMS, Contact(consents=consents), evidence)
    assert (judged is OptIn.ADOPT) == (value is True)
    if judged is not OptIn.WRITE:
        return
    assert is_newer_than_the_erasure(evidence)
    decided = evidence.decided_at
    if value is False:
        assert since is not None
        assert decided is not None
        assert decided > since
    if evidence.entry is None and evidence.lost_at is not None:
        assert decided is not None
        assert decided > evidence.lost_at


LOST_TODAY = [
    (None, None, OptIn.DOUBT),
    (None, -3, OptIn.DOUBT),
    (None, 1, OptIn.WRITE),
    (Entry.REMOVE, None, OptIn.DECLINE),
    (Entry.REMOVE, -3, OptIn.DECLINE),
    (Entry.REMOVE, -1, OptIn.DOUBT),
    (Entry.REMOVE, 1, OptIn.WRITE),
]


@pytest.mark.parametrize(("entry", "decided", "judged"), LOST_TODAY)
def test_a_loss_leaves_in_doubt_whom_the_records_would_opt_in(
    entry: Entry | None, decided: int | None, judged: OptIn
) -> None:
    """What was recorded two days ago may not have been the latest that the lost ledger knew; `decided` is in days."""
    moment = None if decided is None else NOW + timedelta(days=decided)
    evidence = Evidence(moment, entry, NOW - timedelta(days=2) if entry else None, lost_at=NOW)
    assert opt_in(EMAIL, Contact(preferences={"acceptsemail": False}), evidence) is judged


def test_what_engage_does_not_show_is_not_written_over() -> None:
    assert opt_in(TERMS, Contact(), Evidence()) is OptIn.UNREADABLE


@pytest.mark.parametrize(("hours", "judged"), [(-1, OptIn.DECLINE), (0, OptIn.DECLINE), (1, OptIn.WRITE)])
@pytest.mark.parametrize(
    ("facet", "contact"), [(EMAIL, Contact(preferences={"acceptsemail": False})), (TERMS, Contact(consents={}))]
)
def test_who_was_forgotten_needs_a_newer_decision(facet: Facet, contact: Contact, hours: int, judged: OptIn) -> None:
    assert opt_in(facet, contact, Evidence(NOW + timedelta(hours=hours), forgotten_at=NOW)) is judged
    assert opt_in(facet, contact, Evidence(forgotten_at=NOW)) is OptIn.DECLINE


@pytest.mark.parametrize(
    ("facet", "contact"), [(EMAIL, Contact(preferences={"acceptsemail": False})), (TERMS, Contact(consents={}))]
)
def test_who_never_said_anything_is_opted_in(facet: Facet, contact: Contact) -> None:
    assert opt_in(facet, contact, Evidence()) is OptIn.WRITE
