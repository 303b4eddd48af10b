"""No sequence of runs removes more than the limit within any window, unless a person approved it."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from voyado_operator.domain.delivery import RESTORED, Entry, Operation
from voyado_operator.domain.guards import Limits, Percentage, Plan, max_removals
from voyado_operator.domain.plan import AudienceCounts, DiffCounts, Window

from tests.component.arrow import contacts
from tests.ledgers import opened, record

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
    """`lost` are removals that nobody answered for: every run tries them again."""
    limits = Limits(max_removals=Percentage(percent))
    with tempfile.TemporaryDirectory() as folder:
        ledger = opened(f"file://{folder}/vip")
        members, lost, fresh, at = set[str](), set[str](), iter(range(10_000)), START
        removed: list[tuple[datetime, set[str]]] = []  # what Engage may have removed
        sizes: list[tuple[datetime, int]] = [(START, 0)]
        for hours, entering, leaving, end in runs:
            at += timedelta(hours=hours)
            going = set(sorted(members)[:leaving])
            sent = contacts(ledger.sent(Operation.REMOVE, at - WINDOW))
            window = Window(0, len(sent), ledger.peak(at - WINDOW, len(members)))
            diff = DiffCounts(entering, len((going | lost) - sent), len(members) - len(going), len(members))
            plan = Plan(AUDIENCE, diff, window, entering_opts_out=False, tenant_contacts=0)
            if max_removals(plan, limits) is None and going | lost:
                record(ledger, Entry.LEAVING, list(going), at)
                record(ledger, Entry.CLEARING, list(lost), at)
                if end == "refused":
                    record(ledger, Entry.ADD, list(going), at, RESTORED)
                    removed.append((at, lost))
                else:
                    removed.append((at, going | lost))
                    members, lost = members - going, lost | going
                if end == "done":
                    record(ledger, Entry.REMOVE, list(lost), at)
                    lost = set()
            new = {str(UUID(int=next(fresh))) for _ in range(entering)}
            record(ledger, Entry.ADD, list(new), at)
            members |= new
            sizes.append((at, len(members)))
            recent = set[str]().union(*(people for when, people in removed if when >= at - WINDOW))
            peak = max([size for when, size in sizes if when >= at - WINDOW] + [plan.window.peak])
            assert len(recent) <= max(20, peak * percent / 100)
            assert max_removals(replace(plan, diff=replace(diff, leaving=0)), limits) is None
