"""A connection always says whether it works, whatever the tenant or the Secret holds."""

import asyncio
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from voyado_operator.adapters import OperatorAdapters
from voyado_operator.app import now
from voyado_operator.reconcile.conditions import ready_of
from voyado_operator.reconcile.connection import ConnectionLife
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.settings import Settings
from voyado_operator.telemetry.metrics import Metrics

from tests.component.installation import Dictionary
from tests.engage import EngageAdmin
from tests.unit.reconcile.objects import connection


@pytest.mark.parametrize(
    ("consent", "api_key", "reason"),
    [
        ("Member terms", None, "Succeeded"),
        ("x" * 3000, None, "Succeeded"),
        ("Member terms", "nyckel-é", "CredentialsInvalid"),
        ("Member terms", "two\nlines", "CredentialsInvalid"),
    ],
)
async def test_a_probe_ends_with_a_reason(engage: EngageAdmin, consent: str, api_key: str | None, reason: str) -> None:
    engage.configure(consents={"memberTerms": consent})
    metrics = Metrics(CollectorRegistry())
    adapters = OperatorAdapters(Settings(engage_hosts=("127.0.0.1",)), b"key", metrics, lambda: True)
    cluster = cast(Any, Dictionary(api_key or engage.api_key))
    registry = Registry(adapters.identify)
    probed = connection(url=engage.url, ready=None, generation=2)
    registry.connection_seen(probed)
    around = Surroundings(adapters, cluster, asyncio.Semaphore(1), "uid", now)
    life = ConnectionLife(registry.connections[probed.metadata.key], around, registry, metrics)

    await life.step()
    await adapters.close()

    ready = ready_of(life._keeper.status.conditions)
    assert ready is not None
    assert ready.reason == reason
    assert "nyckel" not in ready.message
