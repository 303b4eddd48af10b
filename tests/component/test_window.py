"""No sequence of runs removes more than the limit within any window, unless a person approved it."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from voyado_operator.domain.delivery import RESTORED, Entry
from voyado_operator.domain.guards import Limits, Percentage, Plan, max_removals
from voyado_operator.domain.plan import AudienceCounts, DiffCounts
from voyado_operator.ledger.members import Ledger

START = datetime(2026, 6, 1, tzinfo=UTC)
WINDOW = timedelta(hours=24)
AUDIENCE = AudienceCounts(rows=1, invalid=0, duplicates=0, by_email=0, unmatched=0, ambiguous=0, pending=0, contacts=1)
runs = st.lists(
    st.tuples(st.integers(1, 15), st.integers(0, 40), st.integers(0, 40), st.sampled_from(["done", "lost", "refused"])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(runs=runs, percent=st.sampled_from([0, 20, 50]))
def test_many_small_runs_cannot_bleed_a_label_dry(runs: list[tuple[int, int, int, str]], percent: int) -> None:
    limits = Limits(max_removals=Percentage(percent))
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(f"file://{folder}/vip", "cluster/ns/vip", {"onEnter": "Add"})
        members, fresh, at = set[int](), iter(range(10_000)), START
        removed: list[tuple[datetime, int]] = []  # what Engage may have removed
        sizes: list[tuple[datetime, int]] = [(START, 0)]
        for hours, entering, leaving, end in runs:
            at += timedelta(hours=hours)
            going = sorted(members)[:leaving]
            diff = DiffCounts(entering, len(going), len(members) - len(going), len(members))
            window = ledger.window(at - WINDOW, len(members))
            plan = Plan(AUDIENCE, diff, window, entering_opts_out=False, tenant_contacts=0)
            if max_removals(plan, limits) is None and going:
                ledger.append(Entry.LEAVING, map(str, going), at)
                if end == "refused":
                    ledger.append(Entry.ADD, map(str, going), at, RESTORED)
                else:
                    removed.append((at, len(going)))
                    members -= set(going)
                if end == "done":
                    ledger.append(Entry.REMOVE, map(str, going), at)
            new = {next(fresh) for _ in range(entering)}
            ledger.append(Entry.ADD, map(str, new), at)
            members |= new
            sizes.append((at, len(members)))
            recent = sum(count for when, count in removed if when >= at - WINDOW)
            peak = max([size for when, size in sizes if when >= at - WINDOW] + [plan.window.peak])
            assert recent <= max(20, peak * percent / 100)
            assert max_removals(replace(plan, diff=replace(diff, leaving=0)), limits) is None
