"""Contacts by their e-mail address: how fast Engage is asked for them, and that it is asked once."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.bench.measuring import Cost
from tests.bench.operating import labelling, operate
from tests.bench.recorder import LOOK_UP
from tests.bench.recording import Recording, busiest, recording

ALLOWED = 200  # requests per second, the most that a connection may ask for
ADDRESSES, ADDRESSES_QUICK = 100_000, 2_000  # the first is what a run looks up at most
PACED, PACED_QUICK = 4_000, 1_000  # 100,000 at that rate take 500 s
LATENCIES = (0.0, 0.2)  # seconds
AUDIENCE = {"uriSecretRef": {"name": "warehouse"}, "query": "select email from audience"}


@dataclass(frozen=True)
class Matched:
    """One run: `look_ups` of its `requests` came within `seconds`; `allowed` is None where the limit was lifted.

    `busiest` is the most requests within any second, those of earlier runs included.
    """

    name: str
    addresses: int
    allowed: int | None
    look_ups: int
    seconds: float
    requests: int
    busiest: int
    cost: Cost

    @property
    def per_second(self) -> float:
        return (self.look_ups - 1) / self.seconds if self.seconds else 0.0


def measure(quick: bool) -> Iterator[Matched]:
    addresses, paced = (ADDRESSES_QUICK, PACED_QUICK) if quick else (ADDRESSES, PACED)
    with recording(0.0) as tenant, tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder), addresses)
        for name in ("first run", "second run"):
            yield _run(name, addresses, None, tenant, Path(folder))
    for latency in LATENCIES:
        with recording(latency) as tenant, tempfile.TemporaryDirectory() as folder:
            _fill(Path(folder), paced)
            yield _run(f"first run, {latency * 1000:.0f} ms", paced, ALLOWED, tenant, Path(folder))


def _fill(folder: Path, addresses: int) -> None:
    with duckdb.connect(str(folder / "crm.duckdb")) as connection:
        named = f"select format('person-{{}}@example.com', range) as email from range({addresses})"
        connection.execute(f"create table audience as {named}")


def _run(name: str, addresses: int, allowed: int | None, tenant: Recording, folder: Path) -> Matched:
    before = len(tenant.arrivals())
    activation = labelling("vip", sql=AUDIENCE, identifiers={"email": "email"})
    pace = str(allowed is not None).lower()
    cost = operate(folder, {"url": tenant.url, "requestsPerSecond": ALLOWED}, {"vip": activation}, pace_loopback=pace)
    arrivals = tenant.arrivals()
    asked = [one.time for one in arrivals[before:] if one.kind == LOOK_UP]
    seconds = asked[-1] - asked[0] if asked else 0.0
    return Matched(name, addresses, allowed, len(asked), seconds, len(arrivals) - before, busiest(arrivals), cost)


def table(results: Iterable[Matched]) -> Iterator[str]:
    yield f"| | addresses | look-ups | per second | of {ALLOWED}/s | busiest second | wall | CPU | peak | requests |"
    yield f"|---|{'---|' * 9}"
    for one in results:
        paced = f"{one.per_second / one.allowed:.1%} | {one.busiest}" if one.allowed else "no limit | "
        yield (
            f"| {one.name} | {one.addresses:,} | {one.look_ups:,} | {one.per_second:,.0f} | {paced}"
            f" | {one.cost.wall:.2f} s | {one.cost.cpu:.2f} s | {one.cost.peak} MiB | {one.requests:,} |"
        )
