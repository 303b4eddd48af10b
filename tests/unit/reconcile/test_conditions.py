"""Conditions as kstatus reads them."""

from datetime import timedelta

import pytest
from voyado_operator.domain import errors
from voyado_operator.reconcile.conditions import (
    LONGEST_MESSAGE,
    Verdict,
    conditions,
    fine,
    progressing,
    retrying,
    stalled,
    verdict_of,
)

from tests.unit.reconcile.objects import NOW


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (fine("Succeeded", ""), {"Ready": ("True", "Succeeded")}),
        (progressing(""), {"Ready": ("Unknown", "Progressing"), "Reconciling": ("True", "Progressing")}),
        (
            retrying("SourceFailed", ""),
            {"Ready": ("False", "SourceFailed"), "Reconciling": ("True", "ProgressingWithRetry")},
        ),
        (stalled("GuardBlocked", ""), {"Ready": ("False", "GuardBlocked"), "Stalled": ("True", "GuardBlocked")}),
    ],
)
def test_each_verdict_has_its_conditions(verdict: Verdict, expected: dict[str, tuple[str, str]]) -> None:
    listed = conditions(verdict, [], 3, NOW)
    assert {one.type: (one.status, one.reason) for one in listed} == expected
    assert {one.observed_generation for one in listed} == {3}


def test_a_transition_time_moves_only_when_the_status_flips() -> None:
    first = conditions(fine("Succeeded", "one"), [], 1, NOW)
    same = conditions(fine("Planned", "two"), first, 2, NOW + timedelta(hours=1))
    flipped = conditions(stalled("GuardBlocked", ""), same, 2, NOW + timedelta(hours=2))

    assert same[0].last_transition_time == NOW
    assert flipped[0].last_transition_time == NOW + timedelta(hours=2)


@pytest.mark.parametrize("error", [*errors.Retry.__subclasses__(), *errors.Stall.__subclasses__()])
def test_every_error_is_a_reason(error: type[errors.RunError]) -> None:
    verdict = verdict_of(error("said"))
    reason = "ProgressingWithRetry" if error is errors.Unexpected else error.__name__
    assert (verdict.ready, verdict.reason, verdict.message) == ("False", reason, "said")
    beside = conditions(verdict, [], 1, NOW)[1].type
    assert beside == ("Reconciling" if issubclass(error, errors.Retry) else "Stalled")


@pytest.mark.parametrize("character", ["x", "é", "表"])
def test_a_long_message_is_cut(character: str) -> None:
    [ready] = conditions(fine("Succeeded", character * 5000), [], 1, NOW)
    assert LONGEST_MESSAGE - 3 <= len(ready.message.encode()) <= LONGEST_MESSAGE
    assert set(ready.message) == {character, "…"}
