"""The rate that a tenant allows: how much of it three activations use, whether they ever exceed it, and who gets it.

Seen from the tenant's side, while all three send contact by contact.
"""

import tempfile
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.operating import labelling, operate
from tests.bench.recording import Arrival, busiest, recording

ALLOWED = 50  # requests per second, as Voyado recommends
LABELS = ("vip", "gold", "churn")
LATENCIES = (0.0, 0.05, 0.2)  # seconds
STEADY, STEADY_QUICK = 10, 4  # seconds of which all three are under way
QUEUE = 32  # contacts that the first to come may get ahead of the others
EDGE = 1.0  # second at either end of that: the first changes are tried, the last ones trickle


@dataclass(frozen=True)
class Used:
    """`steady` requests came in `seconds`; `shares` has each label's part of them (all together 1).

    `busiest` is the most that came within any second of the whole time.
    """

    latency: float
    seconds: float
    steady: int
    busiest: int
    shares: dict[str, float]

    @property
    def used(self) -> float:
        """Of what is allowed."""
        return self.steady / self.seconds / ALLOWED

    @property
    def apart(self) -> float:
        """The largest share and the smallest, as a part of an equal share."""
        return (max(self.shares.values()) - min(self.shares.values())) * len(LABELS)


def measure(quick: bool) -> Iterator[Used]:
    seconds = (STEADY_QUICK if quick else STEADY) + 2 * EDGE
    contacts = QUEUE + round(ALLOWED * seconds / len(LABELS))
    for latency in LATENCIES:
        yield used(latency, _labelled(latency, contacts))


def _labelled(latency: float, contacts: int) -> list[Arrival]:
    """What came while so many contacts got each label."""
    with recording(latency) as tenant, tempfile.TemporaryDirectory() as folder:
        connection = {"url": tenant.url, "requestsPerSecond": ALLOWED, "bulk": {"mode": "Off"}}
        activations = {
            label: labelling(label, contactIds=[str(uuid.uuid4()) for _ in range(contacts)]) for label in LABELS
        }
        operate(Path(folder), connection, activations)
        return tenant.arrivals()


def used(latency: float, arrivals: list[Arrival]) -> Used:
    writes = [[one.time for one in arrivals if one.kind == f"label_{label}"] for label in LABELS]
    begin, end = max(times[0] for times in writes) + EDGE, min(times[-1] for times in writes) - EDGE
    assert begin < end, "the first was done before the last had begun"
    steady = [one for one in arrivals if begin <= one.time < end]
    counts = Counter(one.kind for one in steady)
    shares = {label: counts[f"label_{label}"] / counts.total() for label in LABELS}
    return Used(latency, end - begin, len(steady), busiest(arrivals), shares)


def table(results: Iterable[Used]) -> Iterator[str]:
    yield f"| latency | of {ALLOWED}/s used | busiest second | {' | '.join(LABELS)} | apart | window |"
    yield f"|---|---|---|{'---|' * len(LABELS)}---|---|"
    for one in results:
        shares = " | ".join(f"{share:.1%}" for share in one.shares.values())
        yield (
            f"| {one.latency * 1000:.0f} ms | {one.used:.1%} | {one.busiest} | {shares} | {one.apart:.1%}"
            f" | {one.seconds:.1f} s |"
        )
