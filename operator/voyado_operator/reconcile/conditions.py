"""From what became of an object to its conditions, as kstatus and Flux read them (operators.md 2.1).

Ready is always present; Reconciling and Stalled are there only while they are true.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from voyado_operator.api.common import Condition
from voyado_operator.domain.errors import Retry, RunError

LONGEST_MESSAGE = 1024  # bytes of UTF-8


class Beside(StrEnum):
    """The condition that stands beside Ready."""

    NOTHING = "Nothing"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judgement of an object: its Ready condition, and what stands beside it."""

    ready: Literal["True", "False", "Unknown"]
    reason: str
    message: str
    beside: Beside = Beside.NOTHING


def fine(reason: str, message: str) -> Verdict:
    """What was asked is done, or doing nothing is what was asked."""
    return Verdict("True", reason, message)


def progressing(message: str) -> Verdict:
    """A new generation is being worked on."""
    return Verdict("Unknown", "Progressing", message, Beside.RECONCILING)


def retrying(reason: str, message: str) -> Verdict:
    """Not as asked, and the operator tries again by itself."""
    return Verdict("False", reason, message, Beside.RECONCILING)


def stalled(reason: str, message: str) -> Verdict:
    """Not as asked, and a person must act."""
    return Verdict("False", reason, message, Beside.STALLED)


def verdict_of(error: RunError) -> Verdict:
    judge = retrying if isinstance(error, Retry) else stalled
    return judge(error.reason, str(error))


def conditions(verdict: Verdict, previous: Sequence[Condition], generation: int, now: datetime) -> list[Condition]:
    """The whole list for a server-side apply; a transition time moves only when the status flips."""
    since = {(condition.type, condition.status): condition.last_transition_time for condition in previous}

    def condition(kind: str, status: Literal["True", "False", "Unknown"], reason: str) -> Condition:
        return Condition(
            type=kind,
            status=status,
            reason=reason,
            message=shortened(verdict.message),
            last_transition_time=since.get((kind, status), now),
            observed_generation=generation,
        )

    listed = [condition("Ready", verdict.ready, verdict.reason)]
    if verdict.beside is Beside.RECONCILING:
        listed.append(condition("Reconciling", "True", _working(verdict)))
    if verdict.beside is Beside.STALLED:
        listed.append(condition("Stalled", "True", verdict.reason))
    return listed


def ready_of(listed: Sequence[Condition]) -> Condition | None:
    return next((condition for condition in listed if condition.type == "Ready"), None)


def shortened(message: str) -> str:
    encoded = message.encode()
    return message if len(encoded) <= LONGEST_MESSAGE else f"{encoded[: LONGEST_MESSAGE - 3].decode(errors='ignore')}…"


def _working(verdict: Verdict) -> str:
    return "Progressing" if verdict.ready == "Unknown" else "ProgressingWithRetry"
