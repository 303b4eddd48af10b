"""How each contestant is started. Every one is a process of its own."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from tests.bench.warehouse import Scenario, Warehouse

PEERS = Path(".cache/bench/bin")
CONTESTANTS = "tests.bench.contestants"


@dataclass(frozen=True)
class Entry:
    """What is run; `environment` is added to the present one."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


class Contender(Protocol):
    @property
    def name(self) -> str: ...

    def enter(self, scenario: Scenario, warehouse: Warehouse, url: str, folder: Path) -> Entry:
        """Prepare `folder`, which lasts over the scenarios."""
        ...


@dataclass(frozen=True)
class Ours:
    name: str = "voyado-operator"

    def enter(self, scenario: Scenario, warehouse: Warehouse, url: str, folder: Path) -> Entry:
        query = f"select contact_id from {scenario.after}"
        return Entry([sys.executable, "-m", f"{CONTESTANTS}.ours", str(folder), url, query, warehouse.source])


@dataclass(frozen=True)
class Floor:
    connections: int

    @property
    def name(self) -> str:
        return f"floor, {self.connections} connection{'s' * (self.connections > 1)}"

    def enter(self, scenario: Scenario, warehouse: Warehouse, url: str, folder: Path) -> Entry:
        command = [str(PEERS / "python"), "-m", f"{CONTESTANTS}.floor", warehouse.source, url, str(self.connections)]
        leaving = ["false", scenario.leaving] if scenario.leaving else []
        return Entry([*command, "true", scenario.entering, *leaving])


@dataclass(frozen=True)
class WrittenAhead:
    name: str = "write-ahead floor"

    def enter(self, scenario: Scenario, warehouse: Warehouse, url: str, folder: Path) -> Entry:
        command = [
            str(PEERS / "python"),
            "-m",
            f"{CONTESTANTS}.written_ahead",
            warehouse.source,
            url,
            str(folder / "ledger"),
        ]
        leaving = ["false", scenario.leaving] if scenario.leaving else []
        return Entry([*command, "true", scenario.entering, *leaving])


@dataclass(frozen=True)
class Dlt:
    name: str
    module: str

    def enter(self, scenario: Scenario, warehouse: Warehouse, url: str, folder: Path) -> Entry:
        command = [str(PEERS / "python"), "-m", f"{CONTESTANTS}.{self.module}", warehouse.source, url]
        home = {"HOME": str(folder), "DLT_DATA_DIR": str(folder / "dlt"), "RUNTIME__DLTHUB_TELEMETRY": "false"}
        return Entry([*command, scenario.changes], home)


@dataclass(frozen=True)
class Drt:
    """`syncs` share the rows by hash, a thread each; `rows` are read at a time, 4000 go into a request."""

    name: str
    syncs: int
    rows: int

    def enter(self, scenario: Scenario, warehouse: Warehouse, url: str, folder: Path) -> Entry:
        (folder / ".drt").mkdir(exist_ok=True)
        _write(folder / ".drt/profiles.yml", {"bench": _profile(warehouse.source)})
        _write(folder / "drt_project.yml", {"name": "bench", "version": "0.1", "profile": "bench"})
        (folder / "syncs").mkdir(exist_ok=True)
        for number in range(self.syncs):
            part = f" where {warehouse.part(number, self.syncs)}" if self.syncs > 1 else ""
            model = f"select * from ({scenario.changes}) as changes{part}"
            _write(folder / f"syncs/part{number}.yml", self._sync(f"part{number}", model, url))
        drt = str((PEERS / "drt").absolute())
        threads = ["--threads", str(self.syncs)]
        script = 'cd "$0" && exec "$@"'
        return Entry(["sh", "-c", script, str(folder), drt, "run", *threads], {"HOME": str(folder)})

    def _sync(self, name: str, model: str, url: str) -> dict[str, object]:
        destination = {
            "type": "rest_api",
            "url": f"{url}/bulk",
            "method": "PATCH",
            "headers": {"Content-Type": "application/json"},
            "body_mode": "batch",
            "batch_template": "{{ rows | tojson }}",
            "max_records_per_request": 4000,
        }
        options = {"mode": "full", "batch_size": self.rows, "rate_limit": {"requests_per_second": 0}}
        return {"name": name, "model": model, "destination": destination, "sync": options}


CONTENDERS: tuple[Contender, ...] = (
    Floor(1),
    Floor(8),
    WrittenAhead(),
    Ours(),
    Drt("drt, as documented", syncs=1, rows=4000),
    Drt("drt, 100,000 rows at a time", syncs=1, rows=100_000),
    Drt("drt, 8 syncs on 8 threads", syncs=8, rows=100_000),
    Dlt("dlt, as documented", "dlt_documented"),
    Dlt("dlt, Parquet, 8 files at a time", "dlt_tuned"),
)


def _profile(source: str) -> dict[str, object]:
    """Drt's own words for a source."""
    parts = urlsplit(source)
    if parts.scheme == "duckdb":
        return {"type": "duckdb", "database": parts.path}
    database = {"host": parts.hostname, "port": parts.port, "dbname": parts.path.strip("/")}
    return {"type": "postgres", **database, "user": parts.username, "password": parts.password or ""}


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content))  # which YAML can read
