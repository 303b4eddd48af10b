"""Schedules: intervals with jitter, cron in a time zone, retries that grow."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.domain.schedule import Cron, Every, next_run, retry_after

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
