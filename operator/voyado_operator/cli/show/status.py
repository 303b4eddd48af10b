"""`kubectl voyado status`: everything at a glance, then what a person must know of each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.cli.show.plan import waiting_plan
from voyado_operator.cli.show.words import NOTHING, ago, ahead, change, count, target
from voyado_operator.cli.standing import Standing, State, connection_standing, standing

Line = tuple[SegmentActivation, Standing]
COLOURS = {
    State.ALIGNED: "green",
    State.PARTLY: "yellow",
    State.PLANNED: "cyan",
    State.RUNNING: "cyan",
    State.STARTING: "cyan",
    State.WITHDRAWING: "cyan",
    State.OVERDUE: "red",
    State.RETRYING: "red",
    State.WAITING: "yellow",
    State.STUCK: "red",
}
TOLD = (State.STUCK, State.OVERDUE, State.RETRYING, State.PARTLY, State.UNSEEN, State.WITHDRAWING)
"""States whose sentence is shown below the table, the worst first; a waiting plan has a section of its own."""
ROOMY = 100  # columns from which everything fits


@dataclass(frozen=True, slots=True)
class Overview:
    """What the cluster holds, at one moment; `everywhere` adds the namespaces."""

    activations: Sequence[SegmentActivation]
    connections: Sequence[VoyadoConnection]
    now: datetime
    everywhere: bool = False

    @property
    def lines(self) -> list[Line]:
        return [(one, standing(one, self.now)) for one in self.activations]


def overview(seen: Overview, width: int) -> RenderableType:
    lines = seen.lines
    parts: list[RenderableType] = []
    if seen.connections:
        parts += [_connections(seen), ""]
    if lines:
        parts += [_activations(seen, lines, width), ""]
    parts += _details(seen, lines)
    return Group(*parts, _summary(seen, lines))


def as_json(seen: Overview) -> dict[str, object]:
    return {
        "activations": [_activation_json(one, how) for one, how in seen.lines],
        "connections": [_connection_json(one, connection_standing(one)) for one in seen.connections],
    }


def marked(state: State, text: str | None = None) -> Text:
    return Text(f"● {text or state.value}", style=COLOURS.get(state, "dim"))


def _connections(seen: Overview) -> Table:
    table = _table(seen)
    for title in ("CONNECTION", "URL", "STATE"):
        table.add_column(title, no_wrap=True)
    for title in ("RATE", "CONTACTS", "USED BY"):
        table.add_column(title, justify="right", no_wrap=True)
    for one in seen.connections:
        how, status = connection_standing(one), one.status
        rate = status.requests_per_second or one.spec.requests_per_second
        table.add_row(
            *_place(seen, one),
            one.spec.url,
            marked(how.state, "ready" if how.state is State.ALIGNED else None),
            f"{rate:g}/s",
            count(status.contacts),
            count(status.activations),
        )
    return table


def _activations(seen: Overview, lines: Sequence[Line], width: int) -> Table:
    table = _table(seen)
    table.add_column("ACTIVATION", overflow="fold")  # long names give way, as the rest tells more
    table.add_column("TARGET", overflow="fold")
    table.add_column("MEMBERS", justify="right", no_wrap=True)
    if width >= ROOMY:
        table.add_column("LAST DIFF", justify="right", no_wrap=True)
    table.add_column("STATE", no_wrap=True)
    table.add_column("LAST RUN", no_wrap=True)
    if width >= ROOMY:
        table.add_column("NEXT RUN", no_wrap=True)
    for one, how in lines:
        status = one.status
        diff = [change(status.diff.entering, status.diff.leaving) if status.diff else NOTHING]
        last = ago(status.last_run.finished_at if status.last_run else None, seen.now)
        table.add_row(
            *_place(seen, one),
            target(one),
            count(status.members),
            *(diff if width >= ROOMY else []),
            marked(how.state, _running(one) if how.state is State.RUNNING else None),
            last,
            *([ahead(status.next_run_time, seen.now)] if width >= ROOMY else []),
        )
    return table


def _details(seen: Overview, lines: Sequence[Line]) -> Iterator[RenderableType]:
    for one, how in lines:
        if one.status.plan and how.state is not State.WITHDRAWING:
            yield from (
                _heading(one, how),
                Padding(waiting_plan(one, one.status.plan, seen.now), (0, 0, 1, 2), expand=False),
            )
    for one, how in sorted(lines, key=lambda line: TOLD.index(line[1].state) if line[1].state in TOLD else 0):
        if how.state in TOLD and not one.status.plan:
            again = one.status.next_run_time if how.state is State.RETRYING else None
            said = f"{how.because}\ntried again {ahead(again, seen.now)}" if again else how.because
            yield from (_heading(one, how), _indented(Text(said)))
    for connection in seen.connections:
        bad = connection_standing(connection)
        if bad.because and bad.state is not State.SUSPENDED:
            yield from (_heading(connection, bad), _indented(Text(bad.because)))


def _indented(told: RenderableType) -> Padding:
    return Padding(told, (0, 0, 1, 2), expand=False)


def _summary(seen: Overview, lines: Sequence[Line]) -> Text:
    if not lines:
        return Text("no SegmentActivation here; -A looks into all namespaces", style="dim")
    counted = Counter(how.state for _, how in lines)
    parts = [Text(f"{state.value} {number}", style=COLOURS.get(state, "dim")) for state, number in _ordered(counted)]
    return Text(" · ").join([Text(f"{len(lines)} activation{'' if len(lines) == 1 else 's'}"), *parts])


def _ordered(counted: Counter[State]) -> list[tuple[State, int]]:
    """The most urgent first."""
    return [(state, counted[state]) for state in reversed(State) if counted[state]]


def _heading(one: SegmentActivation | VoyadoConnection, how: Standing) -> Text:
    kind = "connection " if isinstance(one, VoyadoConnection) else ""
    return marked(how.state, f"{kind}{one.metadata.name}: {how.state.value}")


def _running(activation: SegmentActivation) -> str:
    progress = activation.status.progress
    if progress is None or not progress.total:
        return progress.phase.lower() if progress else State.RUNNING.value
    return f"{progress.phase.lower()} {100 * progress.done // progress.total} %"


def _table(seen: Overview) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    if seen.everywhere:
        table.add_column("NAMESPACE", no_wrap=True)
    return table


def _place(seen: Overview, one: SegmentActivation | VoyadoConnection) -> list[str]:
    return [*([one.metadata.namespace] if seen.everywhere else []), one.metadata.name]


def _activation_json(one: SegmentActivation, how: Standing) -> dict[str, object]:
    status = one.status.manifest()
    kept = ("members", "diff", "plan", "progress", "lastRun", "nextRunTime")
    return {
        "namespace": one.metadata.namespace,
        "name": one.metadata.name,
        "target": target(one),
        "state": how.state.name.lower(),
        "because": how.because,
        **{key: status[key] for key in kept if key in status},
    }


def _connection_json(one: VoyadoConnection, how: Standing) -> dict[str, object]:
    return {
        "namespace": one.metadata.namespace,
        "name": one.metadata.name,
        "url": one.spec.url,
        "state": "ready" if how.state is State.ALIGNED else how.state.name.lower(),
        "because": how.because,
        "contacts": one.status.contacts,
        "activations": one.status.activations,
    }
