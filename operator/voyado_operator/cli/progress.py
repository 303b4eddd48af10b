"""A live line on the terminal while a run is on; elsewhere nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.cli.show.console import error_console
from voyado_operator.cli.show.words import count
from voyado_operator.reconcile.conditions import ready_of
from voyado_operator.reconcile.gate import HOLDS


@contextmanager
def live(name: str) -> Iterator[Callable[[SegmentActivation], None]]:
    """Give a function that shows how far a version of the activation is."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[counted]}", markup=False),
        TimeElapsedColumn(),
    )
    shown = error_console()
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as progress:
        task = progress.add_task(f"{name}: asked for", total=None, counted="")

        def show(activation: SegmentActivation) -> None:
            now = activation.status.progress
            is_counted = now is not None and now.total > 0
            progress.update(
                task,
                description=f"{name}: {doing(activation)}",
                total=now.total if now and is_counted else None,
                completed=now.done if now else 0,
                counted=f"{count(now.done)} of {count(now.total)}" if now and is_counted else "",
            )

        yield show


def doing(activation: SegmentActivation) -> str:
    """The phase of the run; before it, what keeps it from starting."""
    if activation.status.progress:
        return activation.status.progress.phase.lower()
    ready = ready_of(activation.status.conditions)
    return f"waits ({ready.message})" if ready and ready.reason in HOLDS else "asked for"
