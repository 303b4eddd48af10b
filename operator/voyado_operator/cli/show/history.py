"""The runs that `status.history` keeps: a line of members, and a table."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import HistoryEntry
from voyado_operator.cli.show.run import COLOURS
from voyado_operator.cli.show.words import ago, count

TICKS = "▁▂▃▄▅▆▇█"
SENDS_NOTHING = ("Planned", "Failed")


def history(activation: SegmentActivation, now: datetime) -> RenderableType:
    """The newest run first, as in the status."""
    runs = activation.status.history or []
    if not runs:
        return Text(f"{activation.metadata.name} has not run yet", style="dim")
    known = members_over(runs, activation.status.members)
    line = Text.assemble((activation.metadata.name, "bold"), f" {count(activation.status.members)} members")
    if len(known) > 1:
        line.append(f"  {sparkline(known)}", style="green")
        line.append(f"  over {len(known)} runs: least {count(min(known))}, most {count(max(known))}", style="dim")
    return Group(line, "", _table(runs, now))


def history_json(activation: SegmentActivation) -> list[object]:
    return list(activation.status.manifest().get("history", []))


def members_over(runs: Sequence[HistoryEntry], members: int | None) -> list[int]:
    """Members after each run, the oldest first, as far back as the runs tell.

    The status keeps only the present number. A run whose whole diff was accepted says how many there were before it;
    one that was cut short does not, and there the line begins.
    """
    if members is None:
        return []
    known = [members]
    for run in runs[:-1]:
        net = _net_change(run)
        if net is None:
            break
        known.append(known[-1] - net)
    return known[::-1]


def sparkline(numbers: Sequence[int]) -> str:
    """One tick a number; the lowest is the least of them, not nought, so that small changes show."""
    least, most = min(numbers), max(numbers)
    if least == most:
        return TICKS[len(TICKS) // 2] * len(numbers)
    return "".join(TICKS[(number - least) * (len(TICKS) - 1) // (most - least)] for number in numbers)


def _net_change(run: HistoryEntry) -> int | None:
    if run.outcome in SENDS_NOTHING and run.accepted == 0:
        return 0
    if run.accepted == run.entering + run.leaving:
        return run.entering - run.leaving
    return 0 if run.outcome == "Blocked" and run.accepted == 0 else None


def _table(runs: Sequence[HistoryEntry], now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("FINISHED", "OUTCOME"):
        table.add_column(title, no_wrap=True)
    for title in ("ENTERING", "LEAVING", "ACCEPTED", "REJECTED"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("HELD BACK BY", overflow="fold")
    if is_signed := any(run.approved_by for run in runs):
        table.add_column("APPROVED BY", overflow="fold")
    for run in runs:
        table.add_row(
            ago(run.finished_at, now),
            Text(run.outcome, style=COLOURS.get(run.outcome, "")),
            *(count(number) for number in (run.entering, run.leaving, run.accepted, run.rejected)),
            ", ".join(run.waits_for or []),
            *([run.approved_by or ""] if is_signed else []),
        )
    return table
