"""One word for how an activation is doing, and what `kubectl voyado status` makes of it."""

from datetime import timedelta

import pytest
from rich.console import Console
from voyado_operator.cli.show.status import Overview, as_json, overview
from voyado_operator.cli.standing import State, connection_standing, standing

from tests.unit.reconcile.objects import NOW, activation, connection

RUN = {"id": "1", "outcome": "Succeeded", "startedAt": NOW, "finishedAt": NOW}
PLAN = {
    "digest": "sha256:1",
    "entering": 3,
    "leaving": 6200,
    "blockedBy": [{"guard": "maxRemovals", "message": "6200 contacts would be removed"}],
    "createdAt": NOW - timedelta(hours=2),
    "expiresAt": NOW + timedelta(hours=22),
}


def condition(kind: str, status: str, reason: str, message: str = "why") -> dict[str, object]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": NOW}


def status(reason: str, ready: str = "True", *beside: dict[str, object], **more: object) -> dict[str, object]:
    listed = [condition("Ready", ready, reason), *beside]
    return {"observedGeneration": 1, "conditions": listed, "lastRun": RUN, **more}


STALLED = condition("Stalled", "True", "TargetConflict")
PAST, RECENT = NOW - timedelta(minutes=11), NOW - timedelta(minutes=9)
CASES = [
    (State.ALIGNED, status("Succeeded")),
    (State.PARTLY, status("PartiallyApplied")),
    (State.RETRYING, status("PartiallyApplied", "False")),
    (State.RETRYING, status("SourceFailed", "False")),
    (State.PLANNED, status("Planned")),
    (State.IDLE, status("Succeeded", lastRun=None)),
    (State.UNSEEN, {"observedGeneration": -1}),
    (State.STARTING, status("Progressing", "Unknown")),
    (State.STARTING, status("Succeeded", observedGeneration=0)),
    (State.STUCK, status("TargetConflict", "False", STALLED)),
    (State.WAITING, status("GuardBlocked", "False", STALLED, plan=PLAN)),
    (State.SUSPENDED, status("Suspended")),
    (State.RUNNING, status("Succeeded", progress={"phase": "Applying", "done": 1, "total": 4})),
    (State.OVERDUE, status("Succeeded", nextRunTime=PAST)),
    (State.ALIGNED, status("Succeeded", nextRunTime=RECENT)),
]


@pytest.mark.parametrize(("state", "seen"), CASES)
def test_an_activation_stands(state, seen):
    assert standing(activation(status=seen), NOW).state is state


def test_what_is_being_deleted_is_said_first():
    one = activation(status=status("SourceFailed", "False"))
    going = one.model_copy(update={"metadata": one.metadata.model_copy(update={"deletion_timestamp": NOW})})
    assert standing(going, NOW).state is State.WITHDRAWING


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        (State.ALIGNED, connection()),
        (State.RETRYING, connection(ready="False", message="no answer")),
        (State.UNSEEN, connection(ready=None)),
        (State.SUSPENDED, connection(suspend=True)),
    ],
)
def test_a_connection_stands(state, seen):
    assert connection_standing(seen).state is state


def printed(*activations, width: int) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(overview(Overview(activations, [connection()], NOW), width))
    return captured.get()


@pytest.mark.parametrize("width", [80, 120])
def test_a_waiting_plan_is_shown_with_the_command_that_releases_it(width):
    waiting = activation("churn", status=status("GuardBlocked", "False", STALLED, plan=PLAN, members=31000))
    seen = printed(activation(status=status("Succeeded", members=12)), waiting, width=width)
    for words in ("3 entering, 6,200 leaving", "maxRemovals", "sha256:1", "2h ago; expires in 22h", "31,000"):
        assert words in seen
    assert "kubectl voyado approve churn -n marketing" in seen
    assert "2 activations · waits for approval 1 · aligned 1" in seen
    assert max(len(line.rstrip()) for line in seen.splitlines()) <= width


@pytest.mark.parametrize("width", [80, 120])
def test_long_names_leave_room_for_the_state(width):
    name = "customers-of-a-very-long-name-in-sweden-and-norway"
    label = "a-very-long-label-that-somebody-chose-in-2026"
    waiting = activation(name, label=label, status=status("GuardBlocked", "False", STALLED, plan=PLAN, members=1234567))
    seen = printed(waiting, width=width)
    assert "● waits for approval" in seen
    assert "1,234,567" in seen
    assert "…" not in seen


def test_what_fails_is_shown_with_its_reason_and_when_it_is_tried_again():
    failing = activation(status=status("SourceFailed", "False", nextRunTime=NOW + timedelta(minutes=4)))
    seen = printed(failing, width=100)
    assert "SourceFailed: why" in seen
    assert "tried again in 4m" in seen


def test_what_is_well_takes_one_line():
    seen = printed(activation(status=status("Succeeded")), width=100)
    assert seen.count("vip") == 2  # its name and its label
    assert "why" not in seen


def test_the_same_for_programs():
    seen = as_json(Overview([activation(status=status("GuardBlocked", "False", plan=PLAN))], [connection()], NOW))
    [one], [tenant] = seen["activations"], seen["connections"]
    assert (one["state"], one["plan"]["digest"], one["because"]) == ("waiting", "sha256:1", "GuardBlocked: why")
    assert (tenant["name"], tenant["state"]) == ("engage", "ready")
