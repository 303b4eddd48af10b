"""The one line that the log has of a run at INFO: what it did, in words and in numbers."""

import logging

from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.reconcile.findings import Findings
from voyado_operator.reconcile.triggers import Trigger

logger = logging.getLogger(__name__)
_NO_NUMBERS = {"id", "started_at", "finished_at", "message"}


def tell(asked: Trigger, status: SegmentActivationStatus, findings: Findings) -> None:
    """Log what `status`, as it is after the run, says of it."""
    last = status.last_run
    if last is None:
        raise RuntimeError("a run that has ended is in the status")
    numbers: dict[str, object] = last.model_dump(exclude=_NO_NUMBERS)
    numbers["members"] = status.members
    numbers["seconds"] = round((last.finished_at - last.started_at).total_seconds(), 3)
    numbers["asked"] = asked.value
    if findings.notices:
        numbers["events"] = ",".join(reason for _, reason, _ in findings.notices)
    logger.info("%s: %s", last.outcome, last.message, extra={"fields": numbers})
