"""The manifest's guards and schedule as the domain's values."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from durationpy import from_str

from voyado_operator.api.activation import Guards
from voyado_operator.api.activation import Schedule as ScheduleSpec
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.domain.guards import Limit, Limits, Percentage
from voyado_operator.domain.schedule import Cron, Every, Schedule


def limits(guards: Guards) -> Limits:
    return Limits(
        allow_empty=guards.allow_empty,
        max_removals=_limit(guards.max_removals),
        max_additions=None if guards.max_additions is None else _limit(guards.max_additions),
        max_opt_outs=_limit(guards.max_opt_outs),
        max_invalid=_limit(guards.max_invalid),
        max_unmatched=_limit(guards.max_unmatched),
    )


def schedule(spec: ScheduleSpec | None) -> Schedule:
    """Raises InvalidSpec for what only Python can check: the cron fields and the zone's name."""
    if spec is None:
        return None
    return Every(from_str(spec.every)) if spec.every is not None else _cron(spec.cron or "", spec.time_zone or "UTC")


def _limit(value: int | str) -> Limit:
    return Percentage(int(value.removesuffix("%"))) if isinstance(value, str) else value


def _cron(expression: str, zone: str) -> Cron:
    try:
        CronSim(expression, datetime.now(UTC))
    except CronSimError as error:
        raise InvalidSpec(
            f"spec.schedule.cron: {error} in {expression!r}; write five fields, e.g. '0 6 * * *'"
        ) from None
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidSpec(
            f"spec.schedule.timeZone: there is no zone {zone!r}; write an IANA name, e.g. Europe/Stockholm"
        ) from None
    return Cron(expression, zone)
