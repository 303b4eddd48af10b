"""Why an activation runs now."""

from datetime import timedelta
from typing import Any

import pytest
from voyado_operator.reconcile.triggers import Trigger, trigger

from tests.unit.reconcile.objects import NOW, activation, done

LATER, EARLIER = NOW + timedelta(hours=1), NOW - timedelta(seconds=1)
HOURLY = {"every": "1h"}
PLAN = {
    "digest": "sha256:a",
    "entering": 0,
    "leaving": 9,
    "blockedBy": [],
    "createdAt": NOW,
    "expiresAt": LATER,
}


@pytest.mark.parametrize(
    ("schedule", "status", "annotations", "generation", "expected"),
    [
        (None, {}, {}, 1, None),
        (HOURLY, {}, {}, 1, Trigger.GENERATION),
        (HOURLY, done(nextRunTime=LATER), {}, 1, None),
        (HOURLY, done(nextRunTime=EARLIER), {}, 1, Trigger.SCHEDULE),
        (HOURLY, done(nextRunTime=NOW), {}, 1, Trigger.SCHEDULE),
        (HOURLY, done(), {}, 1, Trigger.SCHEDULE),
        (HOURLY, done(nextRunTime=LATER), {}, 2, Trigger.GENERATION),
        (None, done(nextRunTime=EARLIER), {}, 1, Trigger.SCHEDULE),  # a retry of a requested run
        (None, done(), {"requestedAt": "a"}, 1, Trigger.REQUEST),
        (None, done(lastHandledReconcileAt="a"), {"requestedAt": "a"}, 1, None),
        (None, done(lastHandledReconcileAt="a"), {"requestedAt": "b"}, 1, Trigger.REQUEST),
        (None, done(), {"planRequestedAt": "a"}, 1, Trigger.PLAN_REQUEST),
        (None, done(lastHandledPlanAt="a"), {"planRequestedAt": "a"}, 1, None),
        (None, done(plan=PLAN), {"approve": "sha256:a"}, 1, Trigger.APPROVAL),
        (None, done(plan=PLAN), {"approve": "sha256:b"}, 1, None),
        (None, done(), {"approve": "sha256:a"}, 1, None),
        (None, done(plan=PLAN, lastHandledApproval="sha256:a"), {"approve": "sha256:a"}, 1, None),
        (None, done(), {"requestedAt": ""}, 1, None),
    ],
)
def test_what_asks_for_a_run(
    schedule: dict[str, str] | None,
    status: dict[str, Any],
    annotations: dict[str, str],
    generation: int,
    expected: Trigger | None,
) -> None:
    seen = activation(schedule=schedule, status=status, annotations=annotations, generation=generation)
    assert trigger(seen, seen.status, NOW) is expected


def test_a_run_that_was_cut_off_begins_again() -> None:
    cut_off = done()
    cut_off["conditions"][0] |= {"status": "Unknown", "reason": "Progressing"}
    seen = activation(schedule=HOURLY, status=cut_off | {"nextRunTime": LATER})
    assert trigger(seen, seen.status, NOW) is Trigger.GENERATION
