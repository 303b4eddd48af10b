"""How an activation or a connection is doing, in one word. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.common import Condition
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.schedule import OVERDUE
from voyado_operator.reconcile.conditions import ready_of


class State(Enum):
    """Its value is what people read; from what is well to what is urgent."""

    ALIGNED = "aligned"
    PARTLY = "aligned in part"
    PLANNED = "planned"
    IDLE = "runs on request"
    RUNNING = "running"
    STARTING = "starting"
    UNSEEN = "not seen yet"
    SUSPENDED = "suspended"
    WITHDRAWING = "being deleted"
    OVERDUE = "overdue"
    RETRYING = "failing"
    WAITING = "waits for approval"
    STUCK = "needs a person"


@dataclass(frozen=True, slots=True)
class Standing:
    """`because` is the reason and the message of the Ready condition, or what else there is to say."""

    state: State
    because: str = ""


def standing(activation: SegmentActivation, now: datetime) -> Standing:
    """The first that applies, so that what a person must know is not hidden by what goes on by itself."""
    status, ready = activation.status, ready_of(activation.status.conditions)
    if activation.metadata.deletion_timestamp:
        return Standing(State.WITHDRAWING, _said(ready))
    if activation.spec.suspend or (ready and ready.reason == "Suspended"):
        return Standing(State.SUSPENDED, ready.message if ready and ready.reason == "Suspended" else "by spec.suspend")
    if status.progress:
        return Standing(State.RUNNING, status.progress.phase)
    if ready is None:
        return Standing(State.UNSEEN, "the operator has not looked at it; does it run?")
    if status.plan and ready.reason == "GuardBlocked":
        return Standing(State.WAITING, _said(ready))
    if status.next_run_time and status.next_run_time < now - OVERDUE:
        return Standing(State.OVERDUE, "its time is past and nothing runs: look at the operator and its log")
    return Standing(_judged(activation, ready), _said(ready))


def _judged(activation: SegmentActivation, ready: Condition) -> State:
    status = activation.status
    if ready.status == "Unknown" or status.observed_generation != activation.metadata.generation:
        return State.STARTING
    if any(one.type == "Stalled" and one.status == "True" for one in status.conditions):
        return State.STUCK
    if ready.status == "False":
        return State.RETRYING
    if ready.reason in ("Planned", "PartiallyApplied"):
        return State.PLANNED if ready.reason == "Planned" else State.PARTLY
    return State.ALIGNED if status.last_run else State.IDLE


def connection_standing(connection: VoyadoConnection) -> Standing:
    ready = ready_of(connection.status.conditions)
    if connection.spec.suspend:
        return Standing(State.SUSPENDED, "nothing that uses it runs")
    if ready is None:
        return Standing(State.UNSEEN, "the operator has not looked at it; does it run?")
    if ready.status == "True":
        return Standing(State.ALIGNED)
    stalled = any(one.type == "Stalled" and one.status == "True" for one in connection.status.conditions)
    return Standing(State.STUCK if stalled else State.RETRYING, _said(ready))


def _said(ready: Condition | None) -> str:
    return f"{ready.reason}: {ready.message}" if ready else ""
