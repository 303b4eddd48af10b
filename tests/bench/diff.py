"""The diff alone: the operator's, over its own ledger, against other ways to compare the same contacts."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from voyado_operator.domain.delivery import Entry
from voyado_operator.ledger.members import Ledger
from voyado_operator.targets.bulk import MOST_IN_FLIGHT

from tests.bench.measuring import ContestantError, Cost, python
from tests.bench.warehouse import Warehouse

MEMORIES = ("512MB", "2GB")
OURS, JOIN, FROM_DELTA = "voyado-operator", "full join", "full join, members from Delta"
WAYS = (OURS, JOIN, FROM_DELTA, "two EXCEPTs", "Python sets")
FOR_MANY = WAYS[:3]  # sets of 50,000,000 take 12 GiB


@dataclass(frozen=True)
class Compared:
    """`seconds` are of the comparison alone, `cost` of the whole process; None for a way that failed."""

    contacts: int
    memory: str
    way: str
    seconds: float | None
    cost: Cost | None


def measure(sizes: tuple[int, ...]) -> Iterator[Compared]:
    for contacts in sizes:
        with tempfile.TemporaryDirectory() as folder:
            warehouse = Warehouse.filled(Path(folder) / "warehouse.duckdb", contacts)
            ledger = f"file://{folder}/ledger"
            fill(ledger, _pages(warehouse))
            for memory in MEMORIES:
                for way in WAYS if contacts <= 10_000_000 else FOR_MANY:
                    yield _compared(warehouse, ledger, memory, way, contacts, Path(folder) / "log")


def table(measured: list[Compared]) -> Iterator[str]:
    joins = {(one.contacts, one.memory): one.seconds for one in measured if one.way == JOIN}
    yield "| contacts | memory limit | | comparison | times the full join | whole process | peak |"
    yield "|---|---|---|---|---|---|---|"
    for one in measured:
        join = joins[one.contacts, one.memory]
        if one.seconds is None or one.cost is None:
            yield f"| {one.contacts:,} | {one.memory} | {one.way} | failed | | | |"
            continue
        ratio = f"{one.seconds / join:.1f}" if join else "the join failed"
        yield (
            f"| {one.contacts:,} | {one.memory} | {one.way} | {one.seconds:.2f} s | {ratio}"
            f" | {one.cost.wall:.2f} s | {one.cost.peak} MiB |"
        )


def fill(url: str, pages: Iterable[list[str]]) -> None:
    """Make these the members of a new ledger, as a first run does."""
    ledger, now = Ledger.open(url, "cluster/bench/vip", {"onEnter": "Add"}), datetime.now(UTC)
    ledger.claim("bench")
    for page in pages:
        ledger.note(Entry.ASKED, page, now)
        ledger.commit()
        ledger.note(Entry.ADD, page, now)
    ledger.commit()
    ledger.found()


def _compared(warehouse: Warehouse, ledger: str, memory: str, way: str, contacts: int, log: Path) -> Compared:
    try:
        cost = python("diffing", way, str(warehouse.file), ledger, memory, log=log)
    except ContestantError:  # out of memory is an answer too
        return Compared(contacts, memory, way, None, None)
    entering, leaving, seconds = log.read_text().split()
    assert int(entering) == int(leaving) == contacts // 200
    return Compared(contacts, memory, way, float(seconds), cost)


def _pages(warehouse: Warehouse) -> Iterator[list[str]]:
    with duckdb.connect(str(warehouse.file), read_only=True) as connection:
        rows = connection.execute("select contact_id from previous")
        while page := rows.fetchmany(MOST_IN_FLIGHT):
            yield [contact_id for (contact_id,) in page]
