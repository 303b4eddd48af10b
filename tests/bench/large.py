"""The operator alone with audiences of several sizes: what of its time is not the source's, and how it grows."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import duckdb
from voyado_operator.arrow import Batches

from tests.bench.contenders import Ours
from tests.bench.delivery import Result, all_scenarios
from tests.bench.warehouse import Warehouse


@dataclass(frozen=True)
class Large:
    """`source` is how many seconds its query takes alone, read to the end."""

    contacts: int
    source: float
    result: Result


def measure(sizes: Sequence[int]) -> Iterator[Large]:
    for contacts in sizes:
        with tempfile.TemporaryDirectory() as folder:
            warehouse = Warehouse.filled(Path(folder) / "warehouse.duckdb", contacts)
            source = min(_read_to_the_end(warehouse) for _ in range(3))
            for result in all_scenarios(Ours(), warehouse, 0.0, Path(folder)):
                yield Large(contacts, source, result)


def table(measured: list[Large]) -> Iterator[str]:
    smallest = measured[0].contacts
    yield "| contacts | | whole process | its run | above the source's query | per contact | peak | blocked |"
    yield "|---|---|---|---|---|---|---|---|"
    per_contact: dict[str, float] = {}
    for one in measured:
        name, cost = one.result.scenario, one.result.cost
        if cost is None:
            yield f"| {one.contacts:,} | {name} | failed | | | | | |"
            continue
        run = one.result.run
        if one.contacts == smallest:
            per_contact[name] = cost.wall / smallest
        growth = f"{cost.wall / one.contacts / per_contact[name]:.2f}" if name in per_contact else ""
        yield (
            f"| {one.contacts:,} | {name} | {cost.wall:.2f} s | {run:.2f} s | {run - one.source:.2f} s | {growth}"
            f" | {cost.peak} MiB | {one.result.blocked * 1000:.0f} ms |"
        )


def _read_to_the_end(warehouse: Warehouse) -> float:
    with duckdb.connect(str(warehouse.file), read_only=True) as connection:
        started = perf_counter()
        for _ in Batches(connection.sql("select contact_id from audience")):
            pass
        return perf_counter() - started
