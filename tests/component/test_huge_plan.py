"""A plan of 1,000,000 contacts: made, digested and stored in the memory that a small one takes."""

import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from voyado_operator.domain.delivery import Operation
from voyado_operator.domain.plan import WaitingPlan
from voyado_operator.ledger.waiting import WaitingPlans
from voyado_operator.workspace import Columns, Workspace

from tests.ledgers import opened

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CONTACTS = 1_000_000
MOST_MIB = 128
"""Beside DuckDB's own limit; 75 measured, most of it a row group of Parquet. As strings the ids would be 85."""


def plan(folder: str, contacts: int) -> None:
    """Block and store the plan of an audience of so many that all enter; print the peak memory of the process."""
    source = duckdb.connect().sql(
        f"select printf('%08x-0000-4000-8000-000000000000', i) as id from range({contacts}) t(i)"
    )
    ledger = opened(f"file://{folder}/{contacts}")
    waiting = WaitingPlans(f"file://{folder}/{contacts}.waiting")
    with Workspace(b"key", "256MB") as workspace:
        workspace.stage(source, Columns("id"), NOW)
        _, diff = workspace.diff(ledger.standing())
        for operation in Operation:
            workspace.hold(operation)
        digest = workspace.digest("1:0")
        stored = WaitingPlan(digest, "uid", diff.entering, diff.leaving, contacts, (), NOW, NOW + timedelta(days=1))
        waiting.store(stored, workspace.held())
    print(diff.entering, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def measured(folder: Path, contacts: int) -> tuple[int, int]:
    done = subprocess.run([sys.executable, "-m", __name__, str(folder), str(contacts)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    entering, peak = map(int, done.stdout.split())
    return entering, peak


def test_a_huge_plan_takes_the_memory_of_a_small_one(tmp_path: Path) -> None:
    _, small = measured(tmp_path, 1_000)
    entering, huge = measured(tmp_path, CONTACTS)

    assert entering == CONTACTS
    plans = WaitingPlans(f"file://{tmp_path}/{CONTACTS}.waiting")
    stored = plans.load()
    assert stored is not None
    assert sum(batch.num_rows for batch in plans.changes()) == CONTACTS
    assert huge - small < 256 + MOST_MIB, f"{small} MiB for a small plan, {huge} MiB for a huge one"


if __name__ == "__main__":
    plan(sys.argv[1], int(sys.argv[2]))
