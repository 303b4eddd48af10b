"""What the ledger writes: bytes per changed contact, a run by itself and with the rebases that come of many runs."""

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from voyado_operator.domain.delivery import Entry
from voyado_operator.ledger.members import Ledger
from voyado_operator.targets.bulk import MOST_IN_FLIGHT

from tests.bench.diff import fill

RUNS = 30


@dataclass(frozen=True)
class Written:
    """Bytes; `all_runs` is the mean of RUNS runs, their rebases included, `one_run` the median."""

    members: int
    changes: int
    one_run: int
    all_runs: int


def measure(members: int, churns: tuple[float, ...]) -> Iterator[Written]:
    for churn in churns:
        changes = int(members * churn)
        with tempfile.TemporaryDirectory() as folder:
            sizes = sorted(_runs(Path(folder), members, changes))
            yield Written(members, changes, sizes[len(sizes) // 2], sum(sizes) // len(sizes))


def table(measured: list[Written]) -> Iterator[str]:
    yield "| members | changes a run | bytes a run | per change | with rebases, per change |"
    yield "|---|---|---|---|---|"
    for one in measured:
        yield (
            f"| {one.members:,} | {one.changes:,} | {one.one_run:,} | {one.one_run / one.changes:.0f}"
            f" | {one.all_runs / one.changes:.0f} |"
        )


def _runs(folder: Path, members: int, changes: int) -> Iterator[int]:
    """Half of the changes enter, half leave, as a run writes them: announced, acknowledged, compacted."""
    url = f"file://{folder}/ledger"
    present = [str(uuid.uuid4()) for _ in range(members)]
    fill(url, (present[start : start + MOST_IN_FLIGHT] for start in range(0, members, MOST_IN_FLIGHT)))
    seen = _files(folder)
    for _ in range(RUNS):
        ledger, now = Ledger.open(url, "cluster/bench/vip", {"onEnter": "Add"}), datetime.now(UTC)
        entering, leaving = [str(uuid.uuid4()) for _ in range(changes // 2)], present[: changes // 2]
        present = present[changes // 2 :] + entering
        ledger.claim("run")
        for announced, done, contacts in (
            (Entry.ASKED, Entry.ADD, entering),
            (Entry.LEAVING, Entry.REMOVE, leaving),
        ):
            ledger.append(announced, contacts, now)
            ledger.append(done, contacts, now)
        ledger.compact(now)
        after = _files(folder)
        yield sum(size for file, size in after.items() if file not in seen)
        seen |= after


def _files(folder: Path) -> dict[Path, int]:
    return {file: file.stat().st_size for file in folder.rglob("*") if file.is_file()}
