"""The operator as a process of its own, as `voyado-operator run` starts it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.controlplane.processes import free_port

STARTUP_SECONDS = 30


@dataclass(frozen=True)
class Operator:
    """A running operator; `log` is all it has said, `ledger` the folder it keeps."""

    process: subprocess.Popen[bytes]
    log: Path
    ledger: Path
    metrics_port: int
    health_port: int

    def metrics(self) -> str:
        return httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", verify=False).text

    def metric(self, name: str, **labels: str) -> float | None:
        """The value of the one series with these labels, None where there is none."""
        for family in text_string_to_metric_families(self.metrics()):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return sample.value
        return None

    def health(self) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.health_port}/healthz", verify=False)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def running_operator(kubeconfig: Path, folder: Path, **settings: str) -> Iterator[Operator]:
    """`settings` are variables without their prefix; sources and Engage on the loopback interface are allowed."""
    metrics_port, health_port = free_port(), free_port()
    given = {
        "LEDGER_URL": f"file://{folder / 'ledger'}",
        "ENGAGE_HOSTS": "127.0.0.1",
        "SOURCE_HOSTS": "127.0.0.1",
        "FILE_ROOTS": str(folder),
        "METRICS_PORT": str(metrics_port),
        "HEALTH_PORT": str(health_port),
        "LOG_LEVEL": "DEBUG",
        **settings,
    }
    environment = os.environ | {f"VOYADO_OPERATOR_{name}": value for name, value in given.items()}
    log = folder / f"operator-{metrics_port}.log"
    with log.open("w") as output:
        command = [sys.executable, "-m", "voyado_operator", "run"]
        process = subprocess.Popen(
            command,
            env=environment | {"KUBECONFIG": str(kubeconfig)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    operator = Operator(process, log, folder / "ledger", metrics_port, health_port)
    try:
        await_serving(operator)
        yield operator
    finally:
        if process.poll() is None:
            operator.stop()


def await_serving(operator: Operator) -> None:
    """Until it tells of its health, though it may say that it has been away too long."""
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            operator.health()
            return
        except httpx.TransportError:
            pass
        if operator.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the operator did not start: {operator.log.read_text()}")
        time.sleep(0.05)
