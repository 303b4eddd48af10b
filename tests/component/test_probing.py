"""A connection always says whether it works, whatever the tenant or the Secret holds."""

from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from voyado_operator.adapters import OperatorAdapters
from voyado_operator.app import now
from voyado_operator.reconcile.conditions import ready_of
from voyado_operator.reconcile.connection import ConnectionLife
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.slots import Slots
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
    around = Surroundings(adapters, cluster, Slots(1), "uid", now)
    life = ConnectionLife(registry.connections[probed.metadata.key], around, registry, metrics)

    await life.step()
    await adapters.close()

    ready = ready_of(life._keeper.status.conditions)
    assert ready is not None
    assert ready.reason == reason
    assert "nyckel" not in ready.message


async def test_a_key_that_is_replaced_while_engage_refuses_the_old_one_is_tried(engage: EngageAdmin) -> None:
    """Seen once in CI: the new key was taken for the refused one, and not tried before probeInterval."""
    metrics = Metrics(CollectorRegistry())
    adapters = OperatorAdapters(Settings(engage_hosts=("127.0.0.1",)), b"key", metrics, lambda: True)
    registry = Registry(adapters.identify)
    probed = connection(url=engage.url, ready=None, generation=2)
    registry.connection_seen(probed)
    cluster = Rotated("revoked", engage)
    around = Surroundings(adapters, cast(Any, cluster), Slots(1), "uid", now)
    life = ConnectionLife(registry.connections[probed.metadata.key], around, registry, metrics)

    reasons = []
    for _ in range(2):
        await life.step()
        ready = ready_of(life._keeper.status.conditions)
        reasons.append(ready.reason if ready else None)
    await adapters.close()

    assert reasons == ["CredentialsInvalid", "Succeeded"]


class Rotated(Dictionary):
    """A Secret whose key is replaced as soon as Engage was asked with the old one."""

    def __init__(self, old: str, engage: EngageAdmin) -> None:
        super().__init__(old)
        self._engage = engage

    async def secret(self, *_: object) -> str:
        return str(self._engage.api_key if self._engage.requests()["total"] else self.api_key)
