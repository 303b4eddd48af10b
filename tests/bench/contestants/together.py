"""A run of each of some activations of one connection, all at once; the API server is a dictionary kept in a file.

    python -m tests.bench.contestants.together FOLDER

FOLDER/given.json has the `connection`'s spec, the specs of the `activations` by name, and the `warehouse`'s URI; the
settings come from the environment, as the operator's do.
"""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import uvloop
from prometheus_client import CollectorRegistry
from voyado_operator.adapters import OperatorAdapters
from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.common import Kind, Metadata
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.reconcile.activation import ActivationLife
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.slots import Slots
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.settings import from_environment
from voyado_operator.telemetry.metrics import Metrics

from tests.bench.contestants.ours import READY, metadata

PROBED = {"observedGeneration": 1, "conditions": [READY], "contacts": 100_000_000}


class Dictionary:
    """As much of an API server as these activations need."""

    def __init__(self, file: Path, warehouse: str) -> None:
        self._file, self._warehouse = file, warehouse
        self.statuses: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.exists() else {}

    async def secret(self, field: str, *_: object) -> str:
        return "key" if "apiKey" in field else self._warehouse

    async def apply_status(self, kind: Kind, metadata: Metadata, status: dict[str, Any]) -> None:
        self.statuses[metadata.name] = status
        self._file.write_text(json.dumps(self.statuses))

    async def exists(self, *_: object) -> bool:
        return True

    async def event(self, *_: object) -> None:
        return None


async def main(folder: Path) -> None:
    given, settings = json.loads((folder / "given.json").read_text()), from_environment(os.environ)
    metrics = Metrics(CollectorRegistry())
    adapters = OperatorAdapters(settings, b"key", metrics, lambda: True)
    cluster, slots = Dictionary(folder / "status.json", given["warehouse"]), settings.max_concurrent_runs
    around = Surroundings(adapters, cast(Any, cluster), Slots(slots), "uid", lambda: datetime.now(UTC))
    registry = Registry(adapters.identify)
    connection = {"metadata": metadata("engage"), "spec": given["connection"], "status": PROBED}
    registry.connection_seen(VoyadoConnection.model_validate(connection))
    for name, spec in given["activations"].items():
        activation = {"metadata": metadata(name), "spec": spec, "status": cluster.statuses.get(name, {})}
        registry.activation_seen(SegmentActivation.model_validate(activation))
    lives = [
        ActivationLife(watched, around, registry, metrics, is_stopping=lambda: False)
        for watched in registry.activations.values()
    ]
    await asyncio.gather(*(life.step() for life in lives))
    await adapters.close()
    outcomes = {name: status["lastRun"]["outcome"] for name, status in cluster.statuses.items()}
    assert set(outcomes.values()) == {"Succeeded"}, cluster.statuses


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
