"""The diff alone: the operator's, over its own ledger, against other ways to compare the same contacts."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from random import Random
from uuid import UUID

import duckdb
from voyado_operator.targets.bulk import MOST_IN_FLIGHT

from tests.bench import runs
from tests.bench.measuring import ContestantError, Cost, python
from tests.bench.warehouse import Warehouse

MEMORIES = ("512MB", "2GB")
JOIN = "full join"
RUNS = 10
MANY = 10_000_000  # contacts; of more, sets would take 12 GiB


@dataclass(frozen=True)
class Way:
    """A contestant of contestants/diffing.py, with the tables and the ledger that it compares."""

    name: str
    contestant: str
    file: Path
    ledger: str


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
            new, aged, uuids = f"file://{folder}/new", f"file://{folder}/aged", Path(folder) / "uuids.duckdb"
            _found(new, warehouse)
            _age(aged, warehouse, contacts)
            _parsed(uuids, warehouse)
            ways = [
                Way("voyado-operator", "ours", warehouse.file, new),
                Way("voyado-operator, ten runs later", "ours", warehouse.file, aged),
                Way(JOIN, "join", warehouse.file, new),
                Way("full join of UUIDs", "join", uuids, new),
            ]
            if contacts <= MANY:
                ways.append(Way("two EXCEPTs", "excepts", warehouse.file, new))
                ways.append(Way("Python sets", "sets", warehouse.file, new))
            for memory in MEMORIES:
                for way in ways:
                    yield _compared(way, memory, contacts, Path(folder) / "log")


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


def _compared(way: Way, memory: str, contacts: int, log: Path) -> Compared:
    try:
        cost = python("diffing", way.contestant, str(way.file), way.ledger, memory, log=log)
    except ContestantError:  # out of memory is an answer too
        return Compared(contacts, memory, way.name, None, None)
    entering, leaving, seconds = log.read_text().split()
    assert int(entering) == int(leaving) == contacts // 200
    return Compared(contacts, memory, way.name, float(seconds), cost)


def _parsed(file: Path, warehouse: Warehouse) -> None:
    """Make a file with the ids of both tables as UUIDs: the operator's comparison begins when they are parsed, too."""
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"attach '{warehouse.file}' as warehouse (read_only)")
        for table in ("previous", "audience"):
            parsed = f"select contact_id::uuid as contact_id from warehouse.{table}"
            connection.execute(f"create table {table} as {parsed}")


def _found(url: str, warehouse: Warehouse) -> None:
    """Fill a ledger whose members are `previous`, right after its first run."""
    with duckdb.connect(str(warehouse.file), read_only=True) as connection:
        runs.first(url, _pages(connection, "select contact_id from previous", MOST_IN_FLIGHT))


def _age(url: str, warehouse: Warehouse, contacts: int) -> None:
    """Fill a ledger whose members are `previous`, RUNS of 1 % churn after its first run."""
    churned = contacts // 200
    early = contacts - RUNS * churned
    with duckdb.connect(str(warehouse.file), read_only=True) as connection:
        members = _pages(connection, f"select contact_id from previous limit {early}", MOST_IN_FLIGHT)
        runs.first(url, chain(members, (_strangers(run, churned) for run in range(RUNS))))
        late = _pages(connection, f"select contact_id from previous offset {early}", churned)
        for run, entering in enumerate(late):
            ledger = runs.opened(url)
            runs.following(ledger, entering, _strangers(run, churned))
            ledger.compact(datetime.now(UTC))


def _strangers(run: int, number: int) -> list[str]:
    numbers = Random(run)
    return [str(UUID(int=numbers.getrandbits(128))) for _ in range(number)]


def _pages(connection: duckdb.DuckDBPyConnection, query: str, size: int) -> Iterator[list[str]]:
    rows = connection.execute(query)
    while page := rows.fetchmany(size):
        yield [contact_id for (contact_id,) in page]
