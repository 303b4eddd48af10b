"""The audience from the warehouse into the sink: who is how fast, and is the final set right?"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tests.bench.contenders import CONTENDERS, Contender
from tests.bench.contestants.ours import BLOCKED, RUN
from tests.bench.measuring import ContestantError, Cost, Sink, run, sink
from tests.bench.warehouse import SCENARIOS, Scenario, Warehouse
from tests.controlplane.postgres import running_postgres


@dataclass(frozen=True)
class Result:
    """`cost` is None for a contestant that failed, or whose final set is wrong; `problem` then says why.

    `run` is how many seconds of it a process that goes on running takes, and `blocked` for how many at most nothing
    else could happen there, where that is told.
    """

    source: str
    scenario: str
    latency: float
    contender: str
    cost: Cost | None
    requests: int
    rows: int
    problem: str = ""
    run: float = 0.0
    blocked: float = 0.0

    @property
    def rank(self) -> float:
        """The lower, the more it tells: a failure comes before any time."""
        return self.cost.wall if self.cost else -1.0


def measure(contacts: int, latencies: Sequence[float], tries: int) -> Iterator[Result]:
    """From a DuckDB file with each latency, and from PostgreSQL with the first; of each contestant the fastest try.

    Two of one contestant are minutes apart, as the machine is shared and may be slow for a while.
    """
    with tempfile.TemporaryDirectory() as folder, running_postgres() as postgres:
        warehouse = Warehouse.filled(Path(folder) / "warehouse.duckdb", contacts)
        rounds = [*((warehouse, latency) for latency in latencies), (warehouse.copied(postgres), latencies[0])]
        for source, latency in rounds:
            tried = [
                [*chain.from_iterable(all_scenarios(one, source, latency, Path(folder)) for one in CONTENDERS)]
                for _ in range(tries)
            ]
            yield from (min(one, key=lambda result: result.rank) for one in zip(*tried, strict=True))


def tables(measured: list[Result]) -> Iterator[str]:
    for source, scenario, latency in dict.fromkeys((one.source, one.scenario, one.latency) for one in measured):
        rows = [one for one in measured if (one.source, one.scenario, one.latency) == (source, scenario, latency)]
        yield f"\n### {scenario}, from {source}, {latency * 1000:.0f} ms\n"
        yield "| | wall | times the floor | CPU | peak | requests | rows |"
        yield "|---|---|---|---|---|---|---|"
        floor = min((one.cost.wall for one in rows if one.cost and one.contender.startswith("floor")), default=None)
        for one in rows:
            yield _row(one, floor)
            if one.cost and one.run:
                yield f"| of it, the run | {_wall(one.run, floor)} | | | | |"


def _row(one: Result, floor: float | None) -> str:
    if one.cost is None:
        return f"| {one.contender} | failed | | | | {one.requests} | {one.rows} |"
    cost = one.cost
    return (
        f"| {one.contender} | {_wall(cost.wall, floor)} | {cost.cpu:.2f} s | {cost.peak} MiB"
        f" | {one.requests} | {one.rows} |"
    )


def _wall(seconds: float, floor: float | None) -> str:
    return f"{seconds:.2f} s | {seconds / floor:.1f}" if floor else f"{seconds:.2f} s | "


def all_scenarios(contender: Contender, warehouse: Warehouse, latency: float, folder: Path) -> Iterator[Result]:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        port = 0
        for scenario in SCENARIOS:
            with sink(latency, port) as here:
                port = here.port  # a tenant is known by its address
                yield _measured(contender, scenario, warehouse, here, Path(own))


def _measured(contender: Contender, scenario: Scenario, warehouse: Warehouse, here: Sink, folder: Path) -> Result:
    entry = contender.enter(scenario, warehouse, here.url, folder)
    log, cost, problem = folder / "log", None, ""
    try:
        cost = run(entry.command, log, **entry.environment)
    except ContestantError as error:
        problem = str(error)
    requests, rows = here.taken()
    if cost and here.members(warehouse.members(scenario.before)) != warehouse.members(scenario.after):
        cost, problem = None, "the final set is wrong"
    took, blocked = (_told(log, what) for what in (RUN, BLOCKED))
    return Result(
        warehouse.kind, scenario.name, here.latency, contender.name, cost, requests, rows, problem, took, blocked
    )


def _told(log: Path, what: str) -> float:
    return next((float(line.split()[1]) for line in log.read_text().splitlines() if line.startswith(what)), 0.0)
