"""A real Prometheus that scrapes the operator twice a second, as a pod among others."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.controlplane.processes import free_port
from tests.tools.build import BIN

STARTUP_SECONDS = 30
OPERATORS = "operators"  # the operator's own namespace, which must not become that of its activations


@dataclass(frozen=True)
class Prometheus:
    """`url` is its API's; `config` the file that `scrape` writes."""

    url: str
    config: Path

    def scrape(self, *ports: int) -> None:
        """Find the operator at these ports from now on, and nowhere else."""
        job = {
            "job_name": "voyado-operator",
            "honor_labels": True,
            "static_configs": [
                {"targets": [f"127.0.0.1:{port}"], "labels": {"namespace": OPERATORS}} for port in ports
            ],
        }
        frequent = {"scrape_interval": "500ms", "scrape_timeout": "500ms"}
        self.config.write_text(yaml.safe_dump({"global": frequent, "scrape_configs": [job]}))
        httpx.post(f"{self.url}/-/reload", verify=False).raise_for_status()

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The series that an expression returns now: [{metric, value: [time, text]}]."""
        return list(self._asked("query", {"query": expr})["result"])

    def lately(self, expr: str, seconds: float) -> list[dict[str, Any]]:
        """The same for every one of the last seconds: [{metric, values: [[time, text]]}]."""
        now = time.time()
        given = {"query": expr, "start": str(now - seconds), "end": str(now), "step": "1"}
        return list(self._asked("query_range", given)["result"])

    def totals(self, expr: str, seconds: float) -> dict[str, float]:
        """The sums over the last seconds by `result`, as a legend shows them."""
        found = self.lately(expr, seconds)
        return {one["metric"]["result"]: sum(float(text) for _, text in one["values"]) for one in found}

    def values(self, label: str, selector: str) -> list[str]:
        """The values of a label among some series."""
        return list(self._asked(f"label/{label}/values", {"match[]": selector}))

    def await_some(self, expr: str, seconds: float = 20, **labels: str) -> dict[str, str]:
        """The labels of the first series with these labels that the expression returns."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.query(expr)
            for series in found:
                if labels.items() <= series["metric"].items():
                    return dict(series["metric"])
            assert time.monotonic() < deadline, f"{expr} returns no {labels}, only {found}"
            time.sleep(0.1)

    def await_none(self, expr: str, seconds: float = 20, **labels: str) -> None:
        """Wait until no series with these labels is left."""
        deadline = time.monotonic() + seconds
        while found := [one for one in self.query(expr) if labels.items() <= one["metric"].items()]:
            assert time.monotonic() < deadline, f"{expr} still returns {found}"
            time.sleep(0.1)

    def _asked(self, path: str, parameters: dict[str, str]) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, verify=False)
        assert answer.is_success, f"{parameters}: {answer.text}"
        return answer.json()["data"]


@contextmanager
def running_prometheus(folder: Path) -> Iterator[Prometheus]:
    """Without a target at first."""
    port, config = free_port(), folder / "prometheus.yaml"
    config.write_text("{}")
    flags = {
        "config.file": config,
        "storage.tsdb.path": folder / "prometheus",
        "web.listen-address": f"127.0.0.1:{port}",
        "log.level": "warn",
        "scrape.discovery-reload-interval": "100ms",  # hidden; 5 s to see a new target otherwise
    }
    command = [BIN / "prometheus", "--web.enable-lifecycle", *(f"--{flag}={value}" for flag, value in flags.items())]
    log = folder / "prometheus.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        await_ready(f"http://127.0.0.1:{port}", process, log)
        yield Prometheus(f"http://127.0.0.1:{port}", config)
    finally:
        process.kill()
        process.wait()


def await_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/-/ready", verify=False).is_success:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"Prometheus did not start: {log.read_text()}")
        time.sleep(0.05)
