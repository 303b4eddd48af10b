"""When an activation runs next. The clock and the dice come from outside."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

JITTER = 0.05  # ±5 %, so that a thousand activations applied together do not run together (Flux's figure)
FIRST_RETRY = timedelta(minutes=5)
MANY = 99  # failures in a row: the wait grows no more
OVERDUE = timedelta(minutes=10)  # far beyond a busy loop or a slow API server: something is stuck


@dataclass(frozen=True, slots=True)
class Every:
    """Counted from the start of the last run."""

    interval: timedelta


@dataclass(frozen=True, slots=True)
class Cron:
    """Five cron fields, read in `zone`."""

    expression: str
    zone: str = "UTC"


Schedule = Every | Cron | None


def next_run(schedule: Schedule, started: datetime, now: datetime, dice: float) -> datetime | None:
    """The next regular start, aware, never before `now`; `dice` in [0, 1] spreads intervals; None: only on request.

    Missed slots collapse into one: however long the operator was away, one run is due.
    """
    match schedule:
        case None:
            return None
        case Every(interval):
            return max(now, started + interval * (1 + JITTER * (2 * dice - 1)))
        case Cron(expression, zone):
            return next(CronSim(expression, max(started, now).astimezone(ZoneInfo(zone)))).astimezone(started.tzinfo)


def retry_after(schedule: Schedule, failures: int) -> timedelta:
    """The wait after the `failures`-th failed run in a row (from 1): min(every, 5m), doubling up to max(every, 5m)."""
    interval = schedule.interval if isinstance(schedule, Every) else FIRST_RETRY
    doubled = min(interval, FIRST_RETRY) * (1 << min(failures - 1, 20))
    return min(doubled, max(interval, FIRST_RETRY))


def latest_run(schedule: Schedule, now: datetime) -> datetime:
    """Beyond this no run is planned, neither a regular one nor one that tries again."""
    regular = next_run(schedule, now, now, dice=1.0)
    again = now + retry_after(schedule, failures=MANY)
    return max(regular, again) if regular else again


def waits(until: datetime, now: datetime, longest: timedelta) -> bool:
    """Whether it is still to be waited for, at `now`, until then.

    Nothing lies further ahead than the longest wait of its kind: a clock that was wrong has said so.
    """
    return now < until <= now + longest
