"""Who shares an API key shares its rate."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry
from voyado_operator.api.common import ObjectKey
from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.pool import EngagePool
from voyado_operator.telemetry.metrics import Metrics

URL = "https://acme.voyado.com"
CAREFUL, FAST, ALONE = (ObjectKey("marketing", name) for name in ("careful", "fast", "alone"))


@pytest.fixture
async def pool() -> AsyncIterator[EngagePool]:
    pool = EngagePool(Metrics(CollectorRegistry()), "0", lambda: True)
    yield pool
    await pool.close()


def client(pool: EngagePool, connection: ObjectKey, rate: float, api_key: str = "shared") -> EngageClient:
    return pool.client(URL, api_key, None, rate, connection)


async def test_of_the_rates_asked_for_a_key_the_lowest_counts_while_its_connection_is_there(pool: EngagePool) -> None:
    assert client(pool, CAREFUL, 5).rate == 5
    assert client(pool, FAST, 40).rate == 5
    assert client(pool, ALONE, 40, "its own").rate == 40

    pool.connection_gone(CAREFUL)
    assert client(pool, FAST, 40).rate == 40


async def test_a_connection_that_changes_its_rate_or_its_key_is_bound_by_the_new_one_only(pool: EngagePool) -> None:
    client(pool, CAREFUL, 5)
    client(pool, FAST, 40)

    client(pool, CAREFUL, 20)
    assert client(pool, FAST, 40).rate == 20

    client(pool, CAREFUL, 5, "another")
    assert client(pool, FAST, 40).rate == 40
