"""Schedules: intervals with jitter, cron in a time zone, retries that grow."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.domain.schedule import Cron, Every, Schedule, latest_run, next_run, retry_after, waits

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@given(dice=st.floats(0, 1), minutes=st.integers(1, 10_000))
def test_an_interval_is_kept_within_five_percent(dice, minutes):
    interval = timedelta(minutes=minutes)
    due = next_run(Every(interval), NOON, NOON, dice)
    assert due is not None
    assert interval * 0.949 <= due - NOON <= interval * 1.051


def test_missed_slots_collapse_into_one():
    assert next_run(Every(HOUR), NOON - 50 * HOUR, NOON, 0.5) == NOON


def test_cron_is_read_in_its_time_zone():
    due = next_run(Cron("0 6 * * *", "Europe/Stockholm"), NOON, NOON, 0.5)
    assert due == datetime(2026, 11, 25, 5, 0, tzinfo=UTC)


def test_without_a_schedule_it_runs_only_on_request():
    assert next_run(None, NOON, NOON, 0.5) is None


@pytest.mark.parametrize(
    ("every", "failures", "seconds"),
    [(10, 1, 10), (10, 2, 20), (10, 9, 300), (3600, 1, 300), (3600, 3, 1200), (3600, 40, 3600)],
)
def test_retries_grow_and_stay_within_bounds(every, failures, seconds):
    assert retry_after(Every(timedelta(seconds=every)), failures).total_seconds() == seconds


@pytest.mark.parametrize(
    ("until", "expected"),
    [(-HOUR, False), (timedelta(), False), (HOUR, True), (2 * HOUR, True), (3 * HOUR, False), (99_999 * HOUR, False)],
)
def test_nothing_is_waited_for_longer_than_the_longest_wait(until: timedelta, expected: bool):
    assert waits(NOON + until, NOON, longest=2 * HOUR) is expected


@given(
    schedule=st.sampled_from([None, Every(timedelta(seconds=10)), Every(HOUR), Cron("0 6 * * *"), Cron("* * * * *")]),
    dice=st.floats(0, 1),
    failures=st.integers(1, 50),
)
def test_no_run_is_planned_beyond_the_latest(schedule: Schedule, dice: float, failures: int):
    latest = latest_run(schedule, NOON)
    assert NOON + retry_after(schedule, failures) <= latest
    regular = next_run(schedule, NOON, NOON, dice)
    assert regular is None or regular <= latest
    assert latest <= NOON + timedelta(days=1)
