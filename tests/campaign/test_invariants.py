"""Each invariant is broken by a log that breaks it, and by none that does not."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.campaign import invariants
from tests.campaign.log import (
    PERSON,
    Approved,
    Began,
    Deleted,
    Ended,
    Event,
    Forgotten,
    Gone,
    Log,
    Outcome,
    Refused,
    Settled,
    Showed,
    Wish,
    Wished,
    Wrote,
)

T = datetime(2026, 6, 1, 12, tzinfo=UTC)
LABEL, EMAIL, TERMS = "T0/attribute:label_vip", "T0/preference:acceptsEmail", "T0/consent:memberTerms"
TRIGGER = "T0/trigger:sync:vip"
LABELS = Wish(LABEL, "on", "off", "Retain", is_held=False, most_removals=100, people={"x": None})
OPT_IN = replace(LABELS, target=EMAIL, enters="yes", leaves="no")
KEPT = replace(OPT_IN, leaves="nothing")
OPT_OUT = replace(OPT_IN, enters="no", leaves="nothing")


def at(hour: int) -> datetime:
    return T + timedelta(hours=hour)


def wished(wish: Wish, activation: str = "a") -> Wished:
    return Wished(T, activation, wish)


def began(activation: str = "a", operator: str = "op0") -> Began:
    return Began(T, activation, operator)


def ended(activation: str = "a", **more: object) -> Ended:
    done = Ended(T, activation, "op0", was_killed=False, ready="True", reason="Succeeded", members=0)
    return replace(done, **more)  # type: ignore[arg-type]


def wrote(
    target: str, after: bool, before: bool | None = None, by: str = "a", contact: str = "x", hour: int = 5
) -> Wrote:
    return Wrote(at(hour), by, contact, target, before, after, "" if by == PERSON else "op0")


def settled(wish: Wish, shown: bool | None, **more: object) -> Settled:
    outcome = Outcome("a", wish, "True", "Succeeded", "", is_stalled=False, shown={"x": shown})
    return Settled(at(9), (replace(outcome, **more),))  # type: ignore[arg-type]


TOLD_NO = [wished(OPT_OUT), began(), wrote(EMAIL, False), ended(outcome="Succeeded")]
PARTIAL = ended(reason="PartiallyApplied")
REFUSED = Refused(at(4), "a", "x")
SHOWED = Showed(at(4), "a", "x")
ELSEWHERE = replace(LABELS, target="T0/attribute:label_gold")
WITHDRAWN = replace(ELSEWHERE, policy="Withdraw")
DECIDED = replace(OPT_IN, people={"x": at(3)})
CASES: dict[str, tuple[list[list[Event]], list[list[Event]]]] = {
    "nobody_in_the_audience_is_removed": (
        [
            [wished(LABELS), began(), wrote(LABEL, False, True)],
            [wished(LABELS), began(), wrote(LABEL, True), wrote(LABEL, False, True)],
            [wished(LABELS), wished(ELSEWHERE), began(), wrote(LABEL, False, True)],
            [wished(LABELS), Deleted(T, "a"), wrote(LABEL, False, True)],
        ],
        [
            [wished(replace(LABELS, people={})), began(), wrote(LABEL, False, True)],
            [wished(LABELS), began(), wrote(LABEL, True), wrote(EMAIL, False, True, PERSON), wrote(LABEL, False, True)],
            [wished(LABELS), began(), wished(replace(LABELS, people={})), wrote(LABEL, False, True)],
            [wished(LABELS), wished(WITHDRAWN), began(), wrote(LABEL, False, True)],
            [wished(replace(LABELS, policy="Withdraw")), Deleted(T, "a"), wrote(LABEL, False, True)],
            [wished(OPT_OUT), began(), wrote(EMAIL, False, True)],
        ],
    ),
    "no_more_are_removed_than_the_guard_allows": (
        [[wished(replace(LABELS, people={}, most_removals=0)), began(), wrote(LABEL, False, True)]],
        [
            [wished(replace(LABELS, people={}, most_removals=1)), began(), wrote(LABEL, False, True)],
            [
                wished(replace(LABELS, people={}, most_removals=0)),
                Approved(T, "a", 1),
                began(),
                wrote(LABEL, False, True),
            ],
        ],
    ),
    "nobody_is_opted_in_over_a_newer_no": (
        [
            [
                wished(OPT_IN),
                wrote(EMAIL, False, True, PERSON),
                wrote(EMAIL, True, False),
                SHOWED,
                wrote(EMAIL, True, False),
            ],
            [wished(OPT_IN), began(), ended(), SHOWED, wrote(EMAIL, True, False)],
            [wished(OPT_IN), began(), SHOWED, PARTIAL, SHOWED, wrote(EMAIL, True, False)],
            [wished(replace(OPT_IN, target=TERMS)), SHOWED, wrote(TERMS, True, False)],
            [wished(DECIDED), began(), wrote(EMAIL, False, True, hour=4), SHOWED, wrote(EMAIL, True, False)],
            [wished(OPT_IN), Forgotten(T, "x"), SHOWED, wrote(EMAIL, True, False)],
            [wished(OPT_IN), Forgotten(T, "x"), Approved(T, "a", 1), SHOWED, wrote(EMAIL, True, False)],
            [wished(replace(OPT_IN, people={})), SHOWED, wrote(EMAIL, True, False)],
        ],
        [
            [wished(OPT_IN), SHOWED, wrote(EMAIL, True, False)],
            [wished(OPT_IN), SHOWED, wrote(TERMS, True, None)],
            [wished(DECIDED), wrote(EMAIL, False, True, PERSON, hour=2), SHOWED, wrote(EMAIL, True, False)],
            [wished(DECIDED), SHOWED, wrote(EMAIL, False, True, PERSON, hour=5), wrote(EMAIL, True, False)],
            [wished(DECIDED), wrote(EMAIL, False, False, PERSON, hour=4), SHOWED, wrote(EMAIL, True, False)],
            [wished(OPT_IN), Forgotten(T, "x"), Approved(T, "a", 1, 1), SHOWED, wrote(EMAIL, True, False)],
            [wished(OPT_IN), began(), SHOWED, REFUSED, PARTIAL, began(), PARTIAL, SHOWED, wrote(EMAIL, True, False)],
        ],
    ),
    "no_opt_out_is_lost": (
        [
            [wished(OPT_OUT), settled(OPT_OUT, True)],
            [wished(OPT_OUT), wrote(EMAIL, False), ended(), wrote(EMAIL, True, False), settled(OPT_OUT, True)],
            [wished(OPT_OUT), wrote(EMAIL, True, by=PERSON), ended(), settled(OPT_OUT, True)],
            [
                *TOLD_NO,
                wished(replace(OPT_OUT, people={})),
                began(),
                ended(outcome="Succeeded"),
                wished(OPT_OUT),
                wrote(EMAIL, True, False, PERSON),
                settled(OPT_OUT, True),
            ],
        ],
        [
            [wished(OPT_OUT), settled(OPT_OUT, False)],
            [
                *TOLD_NO,
                wished(replace(OPT_OUT, people={})),
                wished(OPT_OUT),
                wrote(EMAIL, True, False, PERSON),
                settled(OPT_OUT, True),
            ],
            [wished(OPT_OUT), wrote(EMAIL, False), ended(), wrote(EMAIL, True, False, PERSON), settled(OPT_OUT, True)],
        ],
    ),
    "nothing_is_believed_that_engage_did_not_do": (
        [
            [wished(LABELS), wrote(LABEL, True), wrote(LABEL, False), ended(members=1)],
            [wished(LABELS), ended(members=1)],
        ],
        [
            [wished(LABELS), wrote(LABEL, True), ended(members=1)],
            [wished(LABELS), wrote(LABEL, True), wrote(LABEL, False, by=PERSON), ended(members=1)],
        ],
    ),
    "nobody_else_is_touched": (
        [
            [wished(LABELS), began(), wrote(LABEL, True, contact="y")],
            [wished(LABELS), began(), wrote(EMAIL, True)],
        ],
        [[wished(LABELS), wished(replace(LABELS, people={})), began(), wrote(LABEL, False)]],
    ),
    "one_writer_per_target": (
        [
            [wished(LABELS), wished(LABELS, "b"), wrote(LABEL, True), wrote(LABEL, True, by="b")],
            [wished(LABELS), wrote(LABEL, True), wished(ELSEWHERE), wrote(LABEL, False, by="b")],
            [
                wished(LABELS),
                wrote(LABEL, True),
                wished(replace(ELSEWHERE, is_held=True)),
                began(),
                ended(),
                wrote(LABEL, False, by="b"),
            ],
            [wished(LABELS), wrote(LABEL, True), replace(wrote(LABEL, True), operator="op1")],
        ],
        [
            [wished(LABELS), wrote(LABEL, True), wished(ELSEWHERE), began(), ended(), wrote(LABEL, False, by="b")],
            [wished(LABELS), wrote(LABEL, True), Gone(T, "a"), wrote(LABEL, False, by="b")],
        ],
    ),
    "no_trigger_is_fired_twice": (
        [[wrote(TRIGGER, True), wrote(TRIGGER, True)]],
        [
            [wrote(TRIGGER, True), wrote(TRIGGER, False), wrote(TRIGGER, True)],
            [wrote(TRIGGER, True), Approved(T, "a", 1), wrote(TRIGGER, True)],
            [wrote(TRIGGER, True), Forgotten(T, "x"), wrote(TRIGGER, True)],
        ],
    ),
    "nobody_is_stuck": (
        [
            [settled(LABELS, True, ready="False", reason="EngageUnavailable")],
            [settled(LABELS, True, ready="")],
            [settled(LABELS, True, ready="False", reason="TargetConflict", message="b has it", is_stalled=True)],
        ],
        [[settled(LABELS, True)]],
    ),
    "whoever_is_ready_is_aligned": (
        [
            [wished(LABELS), settled(LABELS, None)],
            [wished(OPT_IN), settled(OPT_IN, None)],
            [
                wished(LABELS),
                wrote(LABEL, True),
                wished(replace(LABELS, people={})),
                settled(replace(LABELS, people={}), True),
            ],
        ],
        [
            [wished(LABELS), settled(LABELS, True)],
            [wished(LABELS), wrote(LABEL, True), wrote(LABEL, False, True, PERSON), settled(LABELS, False)],
            [wished(OPT_IN), settled(OPT_IN, False)],
            [
                *[
                    wished(KEPT),
                    wrote(EMAIL, True),
                    wished(replace(KEPT, people={})),
                    began(),
                    ended(outcome="Succeeded"),
                ],
                *[wished(replace(OPT_IN, people={})), settled(replace(OPT_IN, people={}), True)],
            ],
        ],
    ),
}


def broken(events: Iterable[Event]) -> set[str]:
    return set(invariants.broken(Log(list(events))))


@pytest.mark.parametrize("rule", CASES)
def test_a_log_that_breaks_the_rule_is_told(rule: str) -> None:
    assert [rule in broken(events) for events in CASES[rule][0]] == [True] * len(CASES[rule][0])


@pytest.mark.parametrize("rule", CASES)
def test_a_log_that_keeps_the_rule_is_not(rule: str) -> None:
    assert [rule in broken(events) for events in CASES[rule][1]] == [False] * len(CASES[rule][1])


def test_every_rule_is_tried() -> None:
    assert {rule.__name__ for rule in invariants.RULES} == CASES.keys()
