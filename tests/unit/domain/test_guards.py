"""Each guard lets a normal plan pass and blocks the accident it exists for."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.domain.guards import GUARDS, Limits, Percentage, Plan, opt_outs_held, violations
from voyado_operator.domain.plan import AudienceCounts, DiffCounts, Window


def plan(**changes: Any) -> Plan:
    """A quiet day: 1,000 members, 10 enter, 14 leave; `changes` say what is different."""
    audience = {
        "rows": 1000,
        "invalid": 2,
        "duplicates": 0,
        "by_email": 100,
        "unmatched": 5,
        "ambiguous": 0,
        "pending": 0,
        "contacts": 996,
    }
    diff = {"entering": 10, "leaving": 14, "unchanged": 986, "members": 1000}
    window = {"additions": 0, "removals": 0, "peak": 1000}
    rest = {
        "entering_opts_out": False,
        "tenant_contacts": 70_000,
        "is_baselining": False,
        "lost_members": 0,
        "entering_opts_in": False,
    }
    for part in (audience, diff, window, rest):
        part.update({key: value for key, value in changes.items() if key in part})
    return Plan(AudienceCounts(**audience), DiffCounts(**diff), Window(**window), **rest)


def blocked_by(judged: Plan, limits: Limits | None = None) -> list[str]:
    return [violation.guard for violation in violations(judged, limits or Limits())]


def test_a_quiet_day_passes():
    assert blocked_by(plan()) == []


def test_an_empty_audience_is_blocked_unless_it_is_meant():
    assert "allowEmpty" in blocked_by(plan(contacts=0, entering=0, leaving=10))
    assert blocked_by(plan(contacts=0, entering=0, leaving=10), Limits(allow_empty=True)) == []


@pytest.mark.parametrize(("pending", "blocked"), [(1, False), (0, True)])
def test_rows_that_wait_for_their_look_up_are_no_empty_audience(pending, blocked):
    assert ("allowEmpty" in blocked_by(plan(contacts=0, pending=pending, entering=0, leaving=10))) is blocked


@pytest.mark.parametrize(("allowed", "held"), [(True, False), (False, True)])
def test_an_empty_audience_holds_opt_outs_too(allowed, held):
    judged = plan(contacts=0, entering=5, leaving=0, entering_opts_out=True)
    assert opt_outs_held(violations(judged, Limits(allow_empty=allowed))) is held


def test_an_empty_audience_does_not_take_the_small_number_exemption():
    empty = plan(contacts=0, entering=0, leaving=15, peak=15)
    assert blocked_by(empty, Limits(allow_empty=True)) == ["maxRemovals"]


@pytest.mark.parametrize(
    ("leaving", "removed_before", "blocked"),
    [(200, 0, False), (201, 0, True), (100, 101, True), (0, 900, False)],
)
def test_removals_are_counted_over_the_window(leaving, removed_before, blocked):
    assert ("maxRemovals" in blocked_by(plan(leaving=leaving, removals=removed_before))) is blocked


@pytest.mark.parametrize(("leaving", "blocked"), [(20, False), (21, True)])
def test_twenty_contacts_may_always_leave_a_small_label(leaving, blocked):
    assert bool(blocked_by(plan(leaving=leaving, peak=30))) is blocked


@pytest.mark.parametrize(("leaving", "blocked"), [(5, False), (6, True)])
def test_a_number_of_removals_means_itself(leaving, blocked):
    assert bool(blocked_by(plan(leaving=leaving), Limits(max_removals=5))) is blocked


@pytest.mark.parametrize(("entering", "blocked"), [(500, False), (501, True)])
def test_additions_have_the_ceiling_that_the_author_wrote(entering, blocked):
    assert bool(blocked_by(plan(entering=entering), Limits(max_additions=500))) is blocked
    assert blocked_by(plan(entering=entering)) == []


@pytest.mark.parametrize(
    ("found", "blocked"),
    [
        ({"entering": 45}, False),  # 40 of them may have been members
        ({"entering": 46}, True),
        ({"entering": 30, "members": 15, "additions": 15}, False),  # the second run of a baseline
        ({"entering": 30, "members": 15, "additions": 16}, True),
        ({"entering": 5, "members": 60}, False),  # all were added on an approval, or adopted: whoever else comes is new
        ({"entering": 6, "members": 60}, True),
        ({"entering": 25, "members": 20}, False),
        ({"entering": 26, "members": 20}, True),
        ({"entering": 500, "entering_opts_in": True}, False),  # nobody is opted in while baselining
        ({"entering": 6, "is_baselining": False, "members": 40, "entering_opts_in": True}, True),
    ],
)
def test_additions_beyond_the_members_of_a_lost_ledger_are_new(found, blocked):
    lost = {"members": 0, "peak": 0, "is_baselining": True, "lost_members": 40}
    assert (blocked_by(plan(leaving=0, **lost | found), Limits(max_additions=5)) == ["maxAdditions"]) is blocked


@pytest.mark.parametrize(("entering", "blocked"), [(110, False), (111, True)])
def test_a_percentage_of_additions_is_of_the_lost_ledgers_members(entering, blocked):
    judged = plan(entering=entering, leaving=0, members=0, peak=0, is_baselining=True, lost_members=100)
    assert bool(blocked_by(judged, Limits(max_additions=Percentage(10)))) is blocked


@pytest.mark.parametrize(("entering", "blocked"), [(7000, False), (7001, True)])
def test_opt_outs_are_a_share_of_the_tenants_contacts(entering, blocked):
    judged = plan(entering=entering, entering_opts_out=True)
    assert (blocked_by(judged, Limits(max_additions=1)) == ["maxOptOuts"]) is blocked


def test_a_thousand_opt_outs_pass_on_a_small_tenant():
    assert blocked_by(plan(entering=1000, entering_opts_out=True, tenant_contacts=50)) == []


@pytest.mark.parametrize(("invalid", "blocked"), [(50, False), (51, True)])
def test_invalid_rows(invalid, blocked):
    assert ("maxInvalid" in blocked_by(plan(invalid=invalid))) is blocked


@pytest.mark.parametrize(("unmatched", "blocked"), [(50, False), (51, True)])
def test_unmatched_rows_are_a_share_of_the_rows_without_contact_id(unmatched, blocked):
    assert ("maxUnmatched" in blocked_by(plan(unmatched=unmatched))) is blocked


def test_only_two_guards_hold_a_persons_no():
    judged = plan(leaving=900, invalid=900, unmatched=100, entering_opts_out=True)
    found = violations(judged, Limits())
    assert {violation.guard for violation in found} == {"maxRemovals", "maxInvalid", "maxUnmatched"}
    assert not opt_outs_held(found)
    assert opt_outs_held(violations(replace(judged, tenant_contacts=0, window=Window(2000, 0, 1000)), Limits()))


@given(leaving=st.integers(0, 2000), removed=st.integers(0, 2000), percent=st.integers(0, 100))
def test_what_passes_never_exceeds_the_limit_over_the_window(leaving, removed, percent):
    judged = plan(leaving=leaving, removals=removed)
    if leaving and not blocked_by(judged, Limits(max_removals=Percentage(percent))):
        assert leaving + removed <= max(20, percent * 10)


def test_every_violation_is_reported_with_its_numbers():
    found = violations(plan(contacts=0, leaving=996, invalid=1000), Limits())
    assert [violation.guard for violation in found] == ["allowEmpty", "maxRemovals", "maxInvalid"]
    assert "996 contacts would be removed" in found[1].message
    assert set(GUARDS) >= {violation.guard for violation in found}
