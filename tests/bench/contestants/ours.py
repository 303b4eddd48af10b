"""One run of one activation, with everything that a run does; the API server is a dictionary that is kept in a file.

python -m tests.bench.contestants.ours FOLDER SINK QUERY SOURCE_URI
"""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any, cast

from voyado_operator.loading import kept_for_good

with kept_for_good():  # as the operator does
    import uvloop
    from prometheus_client import CollectorRegistry
    from voyado_operator.adapters import OperatorAdapters
    from voyado_operator.api.activation import SegmentActivation
    from voyado_operator.api.common import Kind, Metadata
    from voyado_operator.api.connection import Capability as Shown
    from voyado_operator.api.connection import VoyadoConnection
    from voyado_operator.reconcile.activation import ActivationLife
    from voyado_operator.reconcile.registry import Registry
    from voyado_operator.reconcile.slots import Slots
    from voyado_operator.reconcile.surroundings import Surroundings
    from voyado_operator.settings import Settings
    from voyado_operator.telemetry.event_loop import watch
    from voyado_operator.telemetry.metrics import Metrics

RUN, BLOCKED = "run", "blocked"
CREATED = "2026-01-01T00:00:00Z"
READY = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": CREATED}


class Dictionary:
    """As much of an API server as one activation needs."""

    def __init__(self, file: Path, source: str) -> None:
        self._file, self._source = file, source
        self.status: dict[str, Any]
        self.proven: dict[str, Any]
        self.status, self.proven = json.loads(file.read_text()) if file.exists() else ({}, {})

    def keep(self, shown: list[Shown]) -> None:
        """What the connection's handler writes into its status."""
        self.proven = {"capabilities": [one.model_dump(mode="json", by_alias=True) for one in shown]}
        self._save()

    def _save(self) -> None:
        self._file.write_text(json.dumps([self.status, self.proven]))

    async def secret(self, field: str, *_: object) -> str:
        return "key" if "apiKey" in field else self._source

    async def apply_status(self, kind: Kind, metadata: Metadata, status: dict[str, Any]) -> None:
        self.status = status
        self._save()

    async def exists(self, *_: object) -> bool:
        return True

    async def event(self, *_: object) -> None:
        return None


def metadata(name: str) -> dict[str, Any]:
    annotations = {"voyado-operator.io/requestedAt": str(monotonic())}
    described = {"name": name, "namespace": "bench", "uid": name, "resourceVersion": "1", "generation": 1}
    return described | {"creationTimestamp": CREATED, "annotations": annotations}


async def main(folder: Path, sink: str, query: str, source: str) -> None:
    settings = Settings(
        ledger_url=f"file://{folder}/ledger",
        engage_hosts=("127.0.0.1",),
        source_hosts=("127.0.0.1",),
        file_roots=(str(folder.parent),),
        pace_loopback=False,
        memory_limit="512MiB",
        max_concurrent_runs=1,
    )
    prometheus = CollectorRegistry()
    metrics = Metrics(prometheus)
    adapters = OperatorAdapters(settings, b"key", metrics, lambda: True)
    cluster = Dictionary(folder / "status.json", source)
    around = Surroundings(adapters, cast(Any, cluster), Slots(1), "uid", lambda: datetime.now(UTC))
    registry = Registry(adapters.identify)
    connecting = {
        "url": sink,
        "apiKeySecretRef": {"name": "engage"},
        "labels": {"attribute": {"idTemplate": "label_{label}"}},
        "bulk": {"mode": "Auto"},
    }
    known = {"observedGeneration": 1, "conditions": [READY], "contacts": 100_000_000}
    connection = VoyadoConnection.model_validate(
        {"metadata": metadata("engage"), "spec": connecting, "status": known | cluster.proven}
    )
    registry.connection_seen(connection)
    spec = {
        "connectionRef": {"name": "engage"},
        "audience": {
            "sql": {"uriSecretRef": {"name": "warehouse"}, "query": query},
            "identifiers": {"contactId": "contact_id"},
        },
        "target": {"label": {"name": "vip"}},
    }
    registry.activation_seen(
        SegmentActivation.model_validate({"metadata": metadata("vip"), "spec": spec, "status": cluster.status})
    )
    [watched] = registry.activations.values()
    delays = [0.0]
    watching = asyncio.create_task(watch(delays.append))
    started = perf_counter()
    await ActivationLife(watched, around, registry, metrics, is_stopping=lambda: False).step()
    took = perf_counter() - started
    watching.cancel()
    await adapters.close()
    cluster.keep(registry.capabilities.shown(connection))
    for family in prometheus.collect():
        for sample in family.samples:
            if sample.name == "voyado_activation_run_phase_duration_seconds_sum":
                print(sample.labels["phase"], f"{sample.value:.2f}")
    print(BLOCKED, f"{max(delays):.3f}")
    print(RUN, f"{took:.3f}")
    assert cluster.status["lastRun"]["outcome"] == "Succeeded", cluster.status


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), *sys.argv[2:]))
    sys.stdout.flush()
    os._exit(0)  # as the operator ends
