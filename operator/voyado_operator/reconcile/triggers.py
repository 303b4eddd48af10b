"""Why an activation runs now, decided from spec, annotations, status and the clock alone.

Nothing is kept in memory for it, so a restart neither skips nor repeats a run.
"""

from datetime import datetime
from enum import StrEnum

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.api.common import APPROVE, PLAN_REQUESTED_AT, REQUESTED_AT
from voyado_operator.reconcile.conditions import ready_of

LONGEST_TOKEN = 256  # characters, of the status fields that echo one


class Trigger(StrEnum):
    """What asked for a run."""

    GENERATION = "generation"
    REQUEST = "request"
    APPROVAL = "approval"
    PLAN_REQUEST = "planRequest"
    SCHEDULE = "schedule"
    RELEASE = "release"
    """The target that it waited for was released."""


def trigger(activation: SegmentActivation, status: SegmentActivationStatus, now: datetime) -> Trigger | None:
    """The most telling reason to run now, if any."""
    if token(activation, REQUESTED_AT) not in (None, status.last_handled_reconcile_at):
        return Trigger.REQUEST
    if approval(activation, status):
        return Trigger.APPROVAL
    if activation.spec.schedule is not None and is_new_generation(activation, status):
        return Trigger.GENERATION
    if token(activation, PLAN_REQUESTED_AT) not in (None, status.last_handled_plan_at):
        return Trigger.PLAN_REQUEST
    return Trigger.SCHEDULE if _is_due(activation, status, now) else None


def token(activation: SegmentActivation, annotation: str) -> str | None:
    """What a person or a tool wrote into an annotation, cut to what the status may echo."""
    return activation.metadata.annotations.get(annotation, "")[:LONGEST_TOKEN] or None


def is_new_generation(activation: SegmentActivation, status: SegmentActivationStatus) -> bool:
    """Whether this generation has not been worked through: never seen, or its first run was cut off."""
    ready = ready_of(status.conditions)
    return status.observed_generation != activation.metadata.generation or ready is None or ready.status == "Unknown"


def approval(activation: SegmentActivation, status: SegmentActivationStatus) -> str | None:
    """The digest that a person approves, unless it was handled before, even if it stays in Git."""
    digest = activation.metadata.annotations.get(APPROVE)
    waits = status.plan is not None and digest == status.plan.digest
    return digest if waits and digest != status.last_handled_approval else None


def _is_due(activation: SegmentActivation, status: SegmentActivationStatus, now: datetime) -> bool:
    """Whatever held a scheduled activation back cleared its next run time, so that it runs once let go."""
    if status.next_run_time is None:
        return activation.spec.schedule is not None
    return status.next_run_time <= now
