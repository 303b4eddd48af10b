"""The diff alone: the operator's, over its own ledger, against other ways to compare the same contacts."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from voyado_operator.domain.delivery import Entry
from voyado_operator.ledger.members import Ledger
from voyado_operator.targets.bulk import MOST_IN_FLIGHT

from tests.bench.measuring import ContestantError, Cost, python
from tests.bench.warehouse import Warehouse

WAYS = ("voyado-operator", "full join", "two EXCEPTs", "Python sets")


@dataclass(frozen=True)
class Compared:
    """`seconds` are of the comparison alone, `cost` of the whole process; None for a way that failed."""

    contacts: int
    memory: str
    way: str
    seconds: float | None
    cost: Cost | None


def compare(contacts: int, memories: tuple[str, ...]) -> Iterator[Compared]:
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse.filled(Path(folder) / "warehouse.duckdb", contacts)
        ledger = f"file://{folder}/ledger"
        fill(ledger, sorted(warehouse.members("previous")))
        changed = contacts // 200
        for memory in memories:
            for way in WAYS:
                log = Path(folder) / "log"
                try:
                    cost = python("diffing", way, str(warehouse.file), ledger, memory, log=log)
                except ContestantError:  # out of memory is an answer too
                    yield Compared(contacts, memory, way, None, None)
                    continue
                entering, leaving, seconds = log.read_text().split()
                assert (int(entering), int(leaving)) == (changed, changed)
                yield Compared(contacts, memory, way, float(seconds), cost)


def fill(url: str, contacts: list[str]) -> list[str]:
    """Make these the members of a new ledger, as a first run does."""
    ledger, now = Ledger.open(url, "cluster/bench/vip", {"onEnter": "Add"}), datetime.now(UTC)
    for start in range(0, len(contacts), MOST_IN_FLIGHT):
        ledger.append(Entry.ADD, contacts[start : start + MOST_IN_FLIGHT], now)
    ledger.found()
    return contacts
