"""What the ledger writes: bytes per changed contact, a run by itself and with what comes of many runs."""

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median

from voyado_operator.targets.bulk import MOST_IN_FLIGHT

from tests.bench import runs

MOST_RUNS = 400  # a week of one every 25 minutes; for so long a checkpoint tells of replaced files


@dataclass(frozen=True)
class Written:
    """Bytes a run, of `runs`: `changed` of its changes alone, the median; `compacted` with all upkeep, the mean."""

    members: int
    changes: int
    runs: int
    is_rebased: bool
    changed: float
    compacted: float


def measure(members: int, churns: tuple[float, ...]) -> Iterator[Written]:
    for churn in churns:
        changes = 2 * round(members * churn / 2)
        with tempfile.TemporaryDirectory() as folder:
            changed, compacted, rebased = zip(*_measured(Path(folder), members, changes), strict=True)
            yield Written(members, changes, len(changed), rebased[-1], median(changed), mean(compacted))


def table(measured: list[Written]) -> Iterator[str]:
    yield "| members | changes a run | runs | bytes a run | per change | per change, all upkeep |"
    yield "|---|---|---|---|---|---|"
    for one in measured:
        yield (
            f"| {one.members:,} | {one.changes:,} | {one.runs} | {one.changed:,.0f}"
            f" | {one.changed / one.changes:.0f}"
            f" | {one.compacted / one.changes:.0f}{'' if one.is_rebased else ', no rebase yet'} |"
        )


def _measured(folder: Path, members: int, changes: int) -> Iterator[tuple[int, int, bool]]:
    """Half of the changes enter, half leave, as a run writes them; and then compacted.

    Until the first rebase, so that its share is right, MOST_RUNS at most.
    """
    url = f"file://{folder}/ledger"
    present = [str(uuid.uuid4()) for _ in range(members)]
    runs.first(url, (present[start : start + MOST_IN_FLIGHT] for start in range(0, members, MOST_IN_FLIGHT)))
    seen = _files(folder)
    for _ in range(MOST_RUNS):
        ledger = runs.opened(url)
        entering, leaving = [str(uuid.uuid4()) for _ in range(changes // 2)], present[: changes // 2]
        present = present[changes // 2 :] + entering
        base = ledger._log.base
        runs.following(ledger, entering, leaving)
        changed = _files(folder)
        ledger.compact(datetime.now(UTC))
        compacted = _files(folder)
        is_rebased = ledger._log.base != base
        yield _size(changed, seen), _size(compacted, seen), is_rebased
        if is_rebased:
            return
        seen |= compacted


def _size(files: dict[Path, int], seen: dict[Path, int]) -> int:
    return sum(size for file, size in files.items() if file not in seen)


def _files(folder: Path) -> dict[Path, int]:
    return {file: file.stat().st_size for file in folder.rglob("*") if file.is_file()}
