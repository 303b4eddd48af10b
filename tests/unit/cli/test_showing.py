"""Plans, runs and histories as `kubectl voyado` prints them, and what may be approved."""

from datetime import timedelta

import pytest
from rich.console import Console
from voyado_operator.api.activation_status import HistoryEntry
from voyado_operator.cli.api_server import Unable
from voyado_operator.cli.approval import releasable
from voyado_operator.cli.progress import doing
from voyado_operator.cli.show.history import history, members_over, sparkline
from voyado_operator.cli.show.plan import plan, would_block
from voyado_operator.cli.show.run import finished
from voyado_operator.cli.show.words import MINUS, NOTHING, ahead, change, span
from voyado_operator.domain.guards import Violation
from voyado_operator.reconcile import report
from voyado_operator.reconcile.findings import Intent

from tests.unit.cli.test_standing import PLAN, RUN, status
from tests.unit.reconcile.objects import NOW, activation
from tests.unit.reconcile.test_report import assignment, findings


def text(shown) -> str:
    console = Console(width=100, highlight=False)
    with console.capture() as captured:
        console.print(shown)
    return captured.get()


def entry(outcome: str, entering: int, leaving: int, accepted: int) -> HistoryEntry:
    numbers = {"entering": entering, "leaving": leaving, "accepted": accepted, "rejected": 0}
    return HistoryEntry.model_validate({"id": "1", "outcome": outcome, "finishedAt": NOW, **numbers})


def test_members_are_followed_back_as_far_as_the_runs_tell():
    runs = [
        entry("Succeeded", 0, 40, 40),
        entry("Blocked", 5, 900, 0),
        entry("Planned", 5, 900, 0),
        entry("Succeeded", 90, 0, 90),
        entry("Partial", 10, 0, 4),
        entry("Succeeded", 1, 0, 1),
    ]
    assert members_over(runs, 50) == [0, 90, 90, 90, 50]
    assert members_over(runs, None) == []


def test_a_run_whose_diff_was_accepted_in_part_ends_the_line():
    assert members_over([entry("Partial", 10, 5, 8), entry("Succeeded", 7, 0, 7)], 9) == [9]


def test_the_sparkline_spans_from_the_least_to_the_most():
    assert sparkline([10, 50, 90, 50]) == "▁▄█▄"
    assert sparkline([7, 7]) == "▅▅"


def test_a_history_is_a_table_of_runs():
    runs = [entry("Succeeded", 2, 1, 3), entry("Blocked", 5, 900, 0)]
    shown = text(history(activation(status=status("Succeeded", members=10, history=[r.manifest() for r in runs])), NOW))
    assert "10 members" in shown
    assert [line.split()[2:5] for line in shown.splitlines() if "ago" in line] == [
        ["Succeeded", "2", "1"],
        ["Blocked", "5", "900"],
    ]
    assert "has not run yet" in text(history(activation(), NOW))
    signed = runs[0].model_copy(update={"approved_by": "anna"}).manifest()
    seen = text(history(activation(status=status("Succeeded", history=[signed, runs[1].manifest()])), NOW))
    assert ["APPROVED BY" in shown, "APPROVED BY" in seen, "anna" in seen] == [False, True, True]


def planned(message: str) -> dict[str, object]:
    diff = {"computedAt": NOW, "entering": 20, "leaving": 300, "unchanged": 7, "digest": "sha256:2"}
    sample = {"sample": {"entering": ["h:1"], "leaving": ["h:2", "h:3"]}}
    return status(
        "Planned", diff=diff | sample, lastRun=RUN | {"outcome": "Planned", "message": message, "audience": 27}
    )


def test_a_plan_has_its_numbers_and_a_sample():
    shown = text(plan(activation(status=planned("20 would enter, 300 would leave; nothing was sent"))))
    for words in ("would change 320 contacts", "+ h:1", f"{MINUS} h:3", "2 of 300", "no guard would block it"):
        assert words in shown


def test_guards_are_told_as_the_operator_words_them():
    """The CLI reads them out of the operator's sentence, so it must be the operator's own."""
    violations = (Violation("maxRemovals", "300 leave; 20% is the most"), Violation("maxInvalid", "half of the rows"))
    for found in (violations, ()):
        said = report.sentence(assignment(Intent.PLAN), findings(violations=found))
        assert would_block(activation(status=planned(said))) == [(one.guard, one.message) for one in found]


def test_a_run_has_every_number_that_is_not_nothing():
    run = RUN | {"finishedAt": NOW + timedelta(seconds=3), "audience": 5, "accepted": 2, "unmatched": 1, "requests": 1}
    one = activation(status=status("Succeeded", members=5, lastRun=run))
    shown = text(finished(one, one.status.last_run))
    for words in ("vip Succeeded in 3s", "5 contacts, 1 unmatched", "1 request, 2 accepted"):
        assert words in shown
    assert "rejected" not in shown


@pytest.mark.parametrize(
    ("seen", "digest", "refusal"),
    [
        ({"plan": PLAN}, None, None),
        ({"plan": PLAN}, "sha256:1", None),
        ({"plan": PLAN | {"blockedBy": []}}, None, None),
        ({"plan": PLAN}, "sha256:2", "another plan of vip waits"),
        ({}, None, "no plan of vip waits"),
        ({"plan": PLAN | {"expiresAt": NOW}}, None, "expired"),
        ({"plan": PLAN, "lastHandledApproval": "sha256:1"}, None, "approved already"),
        ({"plan": PLAN | {"blockedBy": [{"guard": "reviewBy", "message": ""}]}}, None, "governance.reviewBy"),
    ],
)
def test_what_may_be_approved(seen, digest, refusal):
    one = activation(status=status("GuardBlocked", "False", **seen))
    if refusal is None:
        assert releasable(one, digest, NOW).digest == "sha256:1"
        return
    with pytest.raises(Unable, match=refusal):
        releasable(one, digest, NOW)


def test_a_live_line_tells_the_phase_or_what_holds_the_run_back():
    running = activation(status=status("Succeeded", progress={"phase": "Applying", "done": 1, "total": 4}))
    held = activation(status=status("ConnectionNotReady", "False"))
    assert [doing(one) for one in (running, held, activation())] == ["applying", "waits (why)", "asked for"]


def test_words():
    spans = [timedelta(seconds=45), timedelta(minutes=3), timedelta(hours=30), timedelta(days=3)]
    assert [span(one) for one in spans] == ["45s", "3m", "30h", "3d"]
    assert [ahead(when, NOW) for when in (NOW + timedelta(hours=1), NOW, None)] == ["in 1h", "now", NOTHING]
    assert [change(120, 14), change(0, 0)] == [f"+120 {MINUS}14", NOTHING]
