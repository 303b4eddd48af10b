"""What the API server cannot see in one manifest, and the operator would stumble over: cron, zones, days gone by."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from voyado_operator.api.activation import Schedule
from voyado_operator.cli.check.findings import Finding
from voyado_operator.cli.check.manifests import Manifest

REVIEW_BY = ("spec", "governance", "reviewBy")


def overlooked(manifest: Manifest, today: dt.date) -> Iterator[Finding]:
    """Of an activation that the API server would take."""
    yield from _schedule(manifest)
    review_by = _at(manifest.value, REVIEW_BY)
    if review_by and dt.date.fromisoformat(review_by) < today:
        yield manifest.warning(
            REVIEW_BY, f"{review_by} is past: no opt-in is written any more; review the audience and write a later day"
        )
    if _at(manifest.value, ("spec", "audience", "files")):
        yield manifest.warning(
            ("spec", "audience", "files"), "this version of the operator reads no files yet; use sql or contactIds"
        )


def _schedule(manifest: Manifest) -> Iterator[Finding]:
    schedule = manifest.spec.get("schedule", {})
    if "cron" not in schedule:
        return
    # The operator's own reading of it, which brings zoneinfo and a parser of cron fields.
    from voyado_operator.domain.errors import InvalidSpec
    from voyado_operator.reconcile.limits import schedule as read

    try:
        read(Schedule.model_validate(schedule))
    except InvalidSpec as error:
        field, _, message = str(error).partition(": ")
        yield manifest.error(tuple(field.split(".")), message)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value
