"""A process of its own, its wall time, CPU seconds and peak memory; and the sink that it delivers to."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from tests.bench import proc
from tests.controlplane.processes import free_port

LOOK = 0.005  # seconds


class ContestantError(Exception):
    """A contestant ended with an error."""


@dataclass(frozen=True)
class Cost:
    """`peak` is in MiB; all of the whole process, its start included."""

    wall: float
    cpu: float
    peak: int


def run(command: list[str], log: Path, **environment: str) -> Cost:
    """Raises ContestantError, which quotes the end of what the process said."""
    with log.open("wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | environment)
        ended, peak = 0, 0
        while not ended:
            time.sleep(LOOK)
            peak = max(peak, proc.peak(process.pid))
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        wall = time.monotonic() - started
    if status:
        raise ContestantError(f"{' '.join(command)}\n{log.read_text()[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak)


def python(contestant: str, *arguments: str, log: Path) -> Cost:
    """Run one of contestants/ in the project's own environment. Raises ContestantError."""
    return run([sys.executable, "-m", f"tests.bench.contestants.{contestant}", *arguments], log)


@dataclass(frozen=True)
class Sink:
    """`latency` is in seconds."""

    port: int
    latency: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def taken(self) -> tuple[int, int]:
        """Requests and rows."""
        said = json.load(urlopen(f"{self.url}/taken"))
        return said["requests"], said["rows"]

    def members(self, before: set[str]) -> set[str]:
        """Who has the label after all that was delivered, of those who had it before."""
        members = set(before)
        for body in urlopen(f"{self.url}/bodies").read().splitlines():
            for row in json.loads(body):
                change = members.add if row["label_vip"] else members.discard
                change(row["contactId"])
        return members


@contextmanager
def sink(latency: float, port: int) -> Iterator[Sink]:
    """At that port, or at any for 0."""
    port = port or free_port()
    with serving("tests.bench.sink", str(port), str(latency)):
        yield Sink(port, latency)


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[None]:
    """A server in a process of its own, from its first line, which says that it listens, to the end of the block."""
    with subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()
