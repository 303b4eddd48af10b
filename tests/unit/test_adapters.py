"""What the settings make of a connection."""

import math

import pytest
from prometheus_client import CollectorRegistry
from voyado_operator.adapters import OperatorAdapters
from voyado_operator.settings import Settings
from voyado_operator.telemetry.metrics import Metrics

from tests.unit.reconcile.objects import connection


@pytest.mark.parametrize(
    ("url", "pace_loopback", "rate"),
    [
        ("http://127.0.0.1:8080", False, math.inf),
        ("http://127.0.0.1:8080", True, 10),
        ("https://acme.voyado.com", False, 10),
    ],
)
async def test_only_a_loopback_host_can_go_unpaced(url: str, pace_loopback: bool, rate: float) -> None:
    settings = Settings(engage_hosts=("127.0.0.1", "*.voyado.com"), pace_loopback=pace_loopback)
    adapters = OperatorAdapters(settings, b"key", Metrics(CollectorRegistry()), lambda: True)

    tenant = adapters.tenant(connection(url=url, requestsPerSecond=10), "key")

    assert tenant.engage.rate == rate
    await adapters.close()
