"""A run that is on, and one that is over."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import LastRun
from voyado_operator.cli.show.words import count, span

COLOURS = {"Succeeded": "green", "Planned": "cyan", "Partial": "yellow", "Blocked": "yellow", "Failed": "red"}
DONE = ("accepted", "adopted", "declined", "rejected", "unknown")
ROWS = ("invalid", "duplicates", "unmatched", "ambiguous")


def finished(activation: SegmentActivation, run: LastRun) -> RenderableType:
    """The outcome, every number that is not nothing, and the operator's sentence."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("audience", _listed(run, ROWS, first=f"{count(run.audience)} contacts"))
    table.add_row("diff", f"{count(run.entering)} entering, {count(run.leaving)} leaving")
    table.add_row("Engage", _listed(run, DONE, first=_requests(run)))
    table.add_row("members", count(activation.status.members))
    if run.message and not activation.status.plan:  # which says the same, and is shown below
        table.add_row("says", run.message)
    took = span(run.finished_at - run.started_at)
    outcome = Text(run.outcome, style=f"bold {COLOURS.get(run.outcome, '')}".strip())
    return Group(Text.assemble((activation.metadata.name, "bold"), " ", outcome, f" in {took}"), table)


def run_json(activation: SegmentActivation, run: LastRun) -> dict[str, object]:
    who = {"namespace": activation.metadata.namespace, "name": activation.metadata.name}
    return {**who, "members": activation.status.members, **run.manifest()}


def _requests(run: LastRun) -> str:
    return f"{count(run.requests)} request{'' if run.requests == 1 else 's'}"


def _listed(run: LastRun, fields: tuple[str, ...], first: str) -> str:
    numbers = [(field, getattr(run, field)) for field in fields]
    return ", ".join([first, *(f"{count(number)} {field}" for field, number in numbers if number)])
