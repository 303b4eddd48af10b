"""How long `--wait` waits, and what for; tests/cluster/test_cli.py has the real watch."""

from collections.abc import Iterator

import pytest
from voyado_operator.cli import waiting
from voyado_operator.cli.api_server import Unable
from voyado_operator.cli.waiting import TimedOut, Waiting

from tests.unit.cli.test_standing import status
from tests.unit.reconcile.objects import activation


class Watch:
    """An API server that shows these versions, one a watch, and then is silent until the clock has run out."""

    def __init__(self, clock: list[float], *versions) -> None:
        self._clock, self._versions = clock, list(versions)

    def versions(self, known, seconds: float) -> Iterator:
        if self._versions:
            yield self._versions.pop(0)
        else:
            self._clock[0] += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(waiting, "monotonic", lambda: now[0])
    return now


def wait(clock: list[float], *versions, first=None, seconds: float = 600) -> object:
    api = Watch(clock, *versions)
    first = first or activation(status=status("Succeeded"))
    shown = []
    done = Waiting(api, seconds, shown.append).until(first, lambda seen: seen.last_handled_reconcile_at == "token")
    assert shown[0] is first
    return done


def test_the_version_with_the_answer_is_returned(clock):
    running = activation(status=status("Succeeded", progress={"phase": "Applying", "done": 1, "total": 4}))
    answered = activation(status=status("Succeeded", lastHandledReconcileAt="token"))
    assert wait(clock, running, answered) is answered


def test_an_answer_that_does_not_come_is_not_waited_for_longer_than_said(clock):
    running = activation(status=status("Succeeded", progress={"phase": "Applying", "done": 1, "total": 4}))
    with pytest.raises(TimedOut, match="it is applying, 1 of 4 done"):
        wait(clock, running, seconds=60)
    assert clock[0] == 60


def test_without_an_operator_that_is_said(clock):
    with pytest.raises(TimedOut, match="has not looked at it yet"):
        wait(clock, first=activation())


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (activation(status=status("Suspended", "True")), "Suspended: why"),
        (activation(schedule={"cron": "0 25 * * *"}), "InvalidSpec: spec.schedule.cron"),
    ],
)
def test_what_may_not_run_is_given_up_soon(clock, held, why):
    with pytest.raises(Unable, match=why):
        wait(clock, first=held)
    assert clock[0] == waiting.PATIENCE_SECONDS


def test_what_may_run_again_is_waited_for(clock):
    held = activation(status=status("Suspended", "True"))
    with pytest.raises(TimedOut):
        wait(clock, activation(status=status("InvalidSpec", "False")), first=held)
    assert clock[0] == 600
