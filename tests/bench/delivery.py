"""The audience from the warehouse into the sink: who is how fast, and is the final set right?"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.contenders import CONTENDERS, Contender
from tests.bench.measuring import ContestantError, Cost, Sink, run, sink
from tests.bench.warehouse import SCENARIOS, Scenario, Warehouse


@dataclass(frozen=True)
class Result:
    """`cost` is None for a contestant that failed, or whose final set is wrong; `problem` then says why."""

    scenario: str
    latency: float
    contender: str
    cost: Cost | None
    requests: int
    rows: int
    problem: str = ""


def deliver(contacts: int, latencies: Sequence[float]) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse.filled(Path(folder) / "warehouse.duckdb", contacts)
        for latency in latencies:
            for contender in CONTENDERS:
                yield from _all_scenarios(contender, warehouse, latency, Path(folder))


def _all_scenarios(contender: Contender, warehouse: Warehouse, latency: float, folder: Path) -> Iterator[Result]:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        port = 0
        for scenario in SCENARIOS:
            with sink(latency, port) as here:
                port = here.port  # a tenant is known by its address
                yield _measured(contender, scenario, warehouse, here, Path(own))


def _measured(contender: Contender, scenario: Scenario, warehouse: Warehouse, here: Sink, folder: Path) -> Result:
    entry = contender.enter(scenario, warehouse, here.url, folder)
    cost, problem = None, ""
    try:
        cost = run(entry.command, folder / "log", **entry.environment)
    except ContestantError as error:
        problem = str(error)
    requests, rows = here.taken()
    if cost and here.members(warehouse.members(scenario.before)) != warehouse.members(scenario.after):
        cost, problem = None, "the final set is wrong"
    return Result(scenario.name, here.latency, contender.name, cost, requests, rows, problem)
