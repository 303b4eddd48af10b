"""Waiting for the operator's answer to an annotation, by a watch."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.cli.api_server import ApiServer, Unable
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.reconcile.conditions import ready_of
from voyado_operator.reconcile.limits import schedule

HOLDS = {"Suspended"}
"""Reasons for which an activation may not run at all, until somebody changes something."""
PATIENCE_SECONDS = 10.0  # with one of them: it may be out of date, and a run shows its progress after 5 seconds


class TimedOut(Exception):  # noqa: N818 - the run goes on, it is no error
    """The answer did not come in time."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """`seconds` bound the whole; `show` is called with every version that comes by."""

    api: ApiServer
    seconds: float
    show: Callable[[SegmentActivation], None]

    def until(
        self, activation: SegmentActivation, answered: Callable[[SegmentActivationStatus], bool]
    ) -> SegmentActivation:
        """The first version from this one on that has the answer. Raises TimedOut, and Unable when it cannot come."""
        deadline, latest = monotonic() + self.seconds, activation
        while not answered(latest.status):
            held = _held(latest)
            until = min(deadline, monotonic() + PATIENCE_SECONDS) if held else deadline
            seen = self._next(latest, until)
            if seen is None and held:
                raise Unable(f"{latest.metadata.name} does not run: {held}")
            if seen is None:
                raise TimedOut(_why_not(latest))
            latest = seen
        return latest

    def _next(self, known: SegmentActivation, until: float) -> SegmentActivation | None:
        """The next version before `until`."""
        self.show(known)
        while (left := until - monotonic()) > 0:
            for seen in self.api.versions(known, left):
                return seen
        return None


def _held(activation: SegmentActivation) -> str | None:
    """Why it is not run at all; an InvalidSpec of an earlier run does not keep it from the next."""
    try:
        schedule(activation.spec.schedule)
    except InvalidSpec as error:
        return f"InvalidSpec: {error}"
    ready = ready_of(activation.status.conditions)
    is_held = ready is not None and ready.reason in HOLDS and activation.status.progress is None
    return f"{ready.reason}: {ready.message}" if ready and is_held else None


def _why_not(activation: SegmentActivation) -> str:
    status, ready = activation.status, ready_of(activation.status.conditions)
    if status.progress:
        return f"it is {status.progress.phase.lower()}, {status.progress.done} of {status.progress.total} done"
    if ready is None:
        return "the operator has not looked at it yet; does it run?"
    return f"its Ready condition says {ready.reason}: {ready.message}"
