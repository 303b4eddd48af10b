"""The operator with thousands of activations: how soon it is at work, what it takes at rest, how soon it reacts."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bench import proc
from tests.bench.cluster import Cluster, activation, cluster, labels, people, series, tenant, until
from tests.bench.isolation import PATIENCE, WHILE, Isolation, isolation
from tests.cluster.world import GROUP, ready
from tests.engage import EngageAdmin

NAMESPACES = [f"scale-{number}" for number in range(5)]
SUSPENDED = 10
REST = 20.0  # seconds
REACTIONS = 20

# Every step of an activation's daemon sets the first of these, and the second where nothing holds it back; neither
# is there for an activation that a new process has not looked at yet. So they tell from the outside, as the status
# in the API server cannot after a restart, that an activation has been picked up, and that it is at rest.
HANDLED, AT_REST = "voyado_activation_suspended", "voyado_activation_next_run_timestamp_seconds"


@dataclass(frozen=True)
class Start:
    """From exec to the first watch, in seconds; what it takes then without any object, in MiB."""

    seconds: float
    resident: int


@dataclass(frozen=True)
class FirstRuns:
    """Of so many activations, one contact each: seconds from exec to the last, CPU seconds, status writes, MiB."""

    activations: int
    seconds: float
    cpu: float
    writes: int
    peak: int


@dataclass(frozen=True)
class Restart:
    """With so many activations that an earlier operator has left Ready, their next run due tomorrow.

    Seconds from exec, and of CPU, until all were picked up; MiB; `cpu_at_rest` in cores; status writes of all.
    """

    activations: int
    seconds: float
    cpu: float
    writes: int
    resident: int
    peak: int
    cpu_at_rest: float
    writes_at_rest: int


@dataclass(frozen=True)
class Reaction:
    """From the apply call of a new activation to the write of its label in Engage, in seconds."""

    others: int
    seconds: list[float]

    def quantile(self, share: float) -> float:
        return sorted(self.seconds)[round(share * len(self.seconds)) - 1]


Result = Start | FirstRuns | Restart | Reaction | Isolation


def measure(quick: bool) -> Iterator[Result]:
    with cluster() as here:
        yield _start(here)
    for hanging in () if quick else WHILE:  # two minutes
        yield isolation(hanging)
    with cluster() as here, tenant(*NAMESPACES) as engage:
        yield _first_runs(here, engage, 50 if quick else 500)
    for number in (200,) if quick else (1_000, 5_000):
        with cluster() as here, tenant(*NAMESPACES) as engage:
            yield from _restart(here, engage, number)


def tables(results: Iterable[Result]) -> Iterator[str]:
    """Markdown; the second row of each table is the goal."""
    found = list(results)
    yield from ("\n| | exec to watching | RSS |", "|---|---|---|", "| goal | 2.5 s | 130 MiB |")
    yield from (f"| idle | {one.seconds:.2f} s | {one.resident} MiB |" for one in found if isinstance(one, Start))
    yield from ("\n| first runs | all done | CPU per run | status writes per run | peak |", "|---|---|---|---|---|")
    yield "| goal | | | 3 | |"
    yield from (_first_row(one) for one in found if isinstance(one, FirstRuns))
    yield "\n| restart with | all picked up | CPU | status writes | RSS | peak | CPU at rest | status writes at rest |"
    yield from ("|---|---|---|---|---|---|---|---|", "| goal for 5,000 | 45 s | | 0 | 350 MiB | | 2 % | 0 |")
    yield from (_row(one) for one in found if isinstance(one, Restart))
    yield from ("\n| new activation beside | p50 | p95 |", "|---|---|---|", "| goal | | 1 s |")
    for one in found:
        if isinstance(one, Reaction):
            yield f"| {one.others:,} | {one.quantile(0.5):.2f} s | {one.quantile(0.95):.2f} s |"
    yield from ("\n| another tenant hangs while | alone | beside it | ratio |", "|---|---|---|---|", "| goal | | | 1 |")
    yield from (_ratio(one) for one in found if isinstance(one, Isolation))


def _first_row(one: FirstRuns) -> str:
    each = f"{one.cpu / one.activations:.2f} s | {one.writes / one.activations:.2f}"
    return f"| {one.activations:,} | {one.seconds:.1f} s | {each} | {one.peak} MiB |"


def _row(one: Restart) -> str:
    return (
        f"| {one.activations:,} | {one.seconds:.1f} s | {one.cpu:.1f} s | {one.writes} | {one.resident} MiB"
        f" | {one.peak} MiB | {one.cpu_at_rest:.1%} | {one.writes_at_rest} |"
    )


def _ratio(one: Isolation) -> str:
    if one.beside is None:
        return f"| {one.hanging_while} | {one.alone:.2f} s | more than {PATIENCE:.0f} s | |"
    return f"| {one.hanging_while} | {one.alone:.2f} s | {one.beside:.2f} s | {one.beside / one.alone:.1f} |"


def _start(here: Cluster) -> Start:
    started = time.monotonic()
    with here.operator() as operator:
        until(lambda: here.watches() > 0, 30, look=0.05)  # after its first list, which is empty
        return Start(time.monotonic() - started, proc.resident(operator.process.pid))


def _first_runs(here: Cluster, engage: EngageAdmin, number: int) -> FirstRuns:
    _populate(here, engage, number)
    before, started = here.status_writes(), time.monotonic()
    with here.operator() as operator:
        until(lambda: len(series(operator, AT_REST)) == number, 3600, look=2)
        until(lambda: _all_ready(here), 60)
        seconds, pid = time.monotonic() - started, operator.process.pid
        writes = here.status_writes() - before - SUSPENDED
        return FirstRuns(number, seconds, proc.cpu_seconds(pid), writes, proc.peak(pid))


def _restart(here: Cluster, engage: EngageAdmin, number: int) -> Iterator[Restart | Reaction]:
    _populate(here, engage, number)
    here.report(_left_behind())
    before, started = here.status_writes(), time.monotonic()
    with here.operator() as operator:
        pid = operator.process.pid
        until(lambda: len(series(operator, HANDLED)) == number + SUSPENDED, 600)
        until(lambda: len(series(operator, AT_REST)) == number, 60)
        seconds, cpu = time.monotonic() - started, proc.cpu_seconds(pid)
        assert _all_ready(here)
        restarted = here.status_writes()
        cpu_at_rest = _cpu_at_rest(here, pid)
        yield Restart(
            activations=number,
            seconds=seconds,
            cpu=cpu,
            writes=restarted - before - SUSPENDED,
            resident=proc.resident(pid),
            peak=proc.peak(pid),
            cpu_at_rest=cpu_at_rest,
            writes_at_rest=here.status_writes() - restarted,
        )
        yield _reaction(here, engage, number)


def _left_behind() -> dict[str, Any]:
    """The status of an activation that has run."""
    now = datetime.now(UTC)
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Succeeded",
        "message": "1 member",
        "observedGeneration": 1,
    }
    run = {"id": "run", "outcome": "Succeeded", "startedAt": now.isoformat(), "finishedAt": now.isoformat()}
    return {
        "observedGeneration": 1,
        "conditions": [condition | {"lastTransitionTime": now.isoformat()}],
        "members": 1,
        "nextRunTime": (now + timedelta(days=1)).isoformat(),
        "lastRun": run | dict.fromkeys(("audience", "entering", "leaving", "accepted"), 1),
    }


def _populate(here: Cluster, engage: EngageAdmin, number: int) -> None:
    """While no operator runs, so that how fast they are created takes nothing from its time."""
    for namespace in NAMESPACES:
        here.connect(namespace, engage)
    new = zip(labels(engage, "one", number), people(engage, number), strict=True)
    resting = zip(labels(engage, "resting", SUSPENDED), people(engage, SUSPENDED), strict=True)
    spread = [activation(*one) for one in new]
    here.create((NAMESPACES[place % len(NAMESPACES)], one) for place, one in enumerate(spread))
    here.create((NAMESPACES[0], activation(*one, suspend=True)) for one in resting)


def _all_ready(here: Cluster) -> bool:
    return all(ready(one["status"]).get("status") == "True" for one in here.activations(*NAMESPACES))


def _cpu_at_rest(here: Cluster, pid: int) -> float:
    """In cores. The suspended are asked to run meanwhile, and must not even say that they do not."""
    asked = {"metadata": {"annotations": {f"{GROUP}/requestedAt": "now"}}}
    here.merge(NAMESPACES[0], {f"resting-{number}": asked for number in range(SUSPENDED)})
    before, since = proc.cpu_seconds(pid), time.monotonic()
    time.sleep(REST)
    return (proc.cpu_seconds(pid) - before) / (time.monotonic() - since)


def _reaction(here: Cluster, engage: EngageAdmin, others: int) -> Reaction:
    new = zip(labels(engage, "new", REACTIONS), people(engage, REACTIONS), strict=True)
    return Reaction(others, [_until_written(here, engage, label, contact) for label, contact in new])


def _until_written(here: Cluster, engage: EngageAdmin, label: str, contact: str) -> float:
    """By Engage's own clock, this machine's: nothing else ever changes the contact."""
    started = time.time()
    here.apply(NAMESPACES[0], activation(label, contact))
    until(lambda: f"label_{label}" in engage.contact(contact)["attributes"], 30, look=0.02)
    written: str = engage.contact(contact)["meta"]["modifiedOn"]
    return datetime.fromisoformat(written).timestamp() - started
