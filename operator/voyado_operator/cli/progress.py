"""A live line on the terminal while a run is on; elsewhere nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.cli.show.console import error_console
from voyado_operator.reconcile.conditions import ready_of


@contextmanager
def live(name: str) -> Iterator[Callable[[SegmentActivation], None]]:
    """Give a function that shows how far a version of the activation is."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    shown = error_console()
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as progress:
        task = progress.add_task(f"{name}: asked", total=None)

        def show(activation: SegmentActivation) -> None:
            now = activation.status.progress
            total = now.total if now and now.total else None
            done = now.done if now else 0
            progress.update(task, description=f"{name}: {_doing(activation)}", total=total, completed=done)

        yield show


def _doing(activation: SegmentActivation) -> str:
    if activation.status.progress:
        return activation.status.progress.phase.lower()
    ready = ready_of(activation.status.conditions)
    return f"waiting ({ready.reason})" if ready and ready.status != "True" else "waiting"
