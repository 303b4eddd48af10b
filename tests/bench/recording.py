"""The recorder as the other modules use it: a process of its own, and what came there."""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple
from urllib.request import urlopen

from tests.bench.measuring import serving
from tests.controlplane.processes import free_port


class Arrival(NamedTuple):
    """`time` is monotonic, in seconds; `kind` the attribute that the request writes, `look-up` or `other`."""

    time: float
    kind: str


@dataclass(frozen=True)
class Recording:
    url: str

    def arrivals(self) -> list[Arrival]:
        """All that came and was answered so far, in the order of its arrival."""
        return [Arrival(*one) for one in json.load(urlopen(f"{self.url}/arrivals"))]


@contextmanager
def recording(latency: float) -> Iterator[Recording]:
    """`latency` is in seconds."""
    port = free_port()
    with serving("tests.bench.recorder", str(port), str(latency)):
        yield Recording(f"http://127.0.0.1:{port}")


def busiest(arrivals: list[Arrival]) -> int:
    """The most that came within any second."""
    most, latest = 0, deque[float]()
    for arrival in arrivals:
        latest.append(arrival.time)
        while latest[0] <= arrival.time - 1:
            latest.popleft()
        most = max(most, len(latest))
    return most
