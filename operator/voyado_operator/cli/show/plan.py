"""A plan: what `kubectl voyado plan` computed, and the one that waits for a person."""

import re
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import WaitingPlan
from voyado_operator.cli.show.words import MINUS, ago, ahead, command, count

BLOCKS = "a guard would block: "
"""How the operator's sentence on a plan goes on where guards would block it; each follows with its name."""
GUARD = re.compile(r"(?:^|; )(\w+): ")


def would_block(activation: SegmentActivation) -> list[tuple[str, str]]:
    """The guards that would block the latest plan, and why."""
    last = activation.status.last_run
    _, _, listed = (last.message or "" if last else "").partition(BLOCKS)
    _, *found = GUARD.split(listed)
    return list(zip(found[::2], found[1::2], strict=True))


def plan(activation: SegmentActivation) -> RenderableType:
    """The diff in numbers, a sample of it, and what a guard would say."""
    status, name = activation.status, activation.metadata.name
    last, diff = status.last_run, status.diff
    if last is None or last.outcome == "Failed" or diff is None:
        return Text(f"{name}: no plan: {last.message if last else 'it has not run'}", style="red")
    parts: list[RenderableType] = [
        Text.assemble(
            (name, "bold"), f" would change {count(diff.entering + diff.leaving)} contacts; nothing was sent"
        ),
        "",
        _numbers(activation),
    ]
    for word, hashes, sign, colour in (
        ("entering", diff.sample.entering, "+", "green"),
        ("leaving", diff.sample.leaving, MINUS, "red"),
    ):
        if hashes:
            parts += ["", Text(f"{word}, {len(hashes)} of {count(getattr(diff, word))} as keyed hashes", style="dim")]
            parts += [Text(f"  {sign} {one}", style=colour) for one in hashes]
    guards = would_block(activation)
    parts += ["", _guards(guards)] if guards else ["", Text("no guard would block it", style="green")]
    return Group(*parts)


def plan_json(activation: SegmentActivation) -> dict[str, object]:
    status = activation.status.manifest()
    last = status.get("lastRun", {})
    return {
        "namespace": activation.metadata.namespace,
        "name": activation.metadata.name,
        "outcome": last.get("outcome"),
        "message": last.get("message"),
        "members": status.get("members"),
        **({} if last.get("outcome") == "Failed" else status.get("diff", {})),
        "blockedBy": [{"guard": guard, "message": message} for guard, message in would_block(activation)],
    }


def waiting_plan(activation: SegmentActivation, waiting: WaitingPlan, now: datetime) -> RenderableType:
    """What waits, why, how long still, and the command that lets it out."""
    table = held_back(activation, waiting, now)
    if activation.status.last_handled_approval == waiting.digest:
        table.add_row("approved", "what the audience still has of it goes out")
    else:
        table.add_row("if meant", Text(command("approve", activation), style="bold"))
    return table


def held_back(activation: SegmentActivation, waiting: WaitingPlan, now: datetime) -> Table:
    """What waits, why, and how long still."""
    table, diff = _pairs(), activation.status.diff
    table.add_row("held back", f"{count(waiting.entering)} entering, {count(waiting.leaving)} leaving")
    if diff is not None and (diff.entering, diff.leaving) != (waiting.entering, waiting.leaving):
        by_now = f"{count(diff.entering)} entering, {count(diff.leaving)} leaving"
        table.add_row("diff by now", f"{by_now}; only what is in both would go out")
    for block in waiting.blocked_by:
        table.add_row(block.guard, Text(block.message, style="yellow"))
    table.add_row("since", f"{ago(waiting.created_at, now)}; expires {ahead(waiting.expires_at, now)}")
    table.add_row("digest", waiting.digest)
    return table


def _numbers(activation: SegmentActivation) -> Table:
    status, table = activation.status, _pairs()
    last, diff = status.last_run, status.diff
    if diff is None or last is None:
        return table
    table.add_row("entering", Text(count(diff.entering), style="green" if diff.entering else ""))
    table.add_row("leaving", Text(count(diff.leaving), style="red" if diff.leaving else ""))
    table.add_row("unchanged", count(diff.unchanged))
    table.add_row("audience", f"{count(last.audience)} contacts{_left_out(activation)}")
    table.add_row("digest", diff.digest)
    return table


def _left_out(activation: SegmentActivation) -> str:
    last = activation.status.last_run
    if last is None:
        return ""
    numbers = {"invalid": last.invalid, "duplicates": last.duplicates, "unmatched": last.unmatched}
    listed = [f"{count(number)} {word}" for word, number in {**numbers, "ambiguous": last.ambiguous}.items() if number]
    return f" (and {', '.join(listed)})" if listed else ""


def _guards(guards: list[tuple[str, str]]) -> Table:
    table = _pairs()
    for guard, message in guards:
        table.add_row(Text(guard, style="yellow"), Text(f"would block: {message}", style="yellow"))
    return table


def _pairs() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table
