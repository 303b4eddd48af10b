"""Once a day, whatever the API server says of some of the ledgers' owners."""

from typing import Any, cast

from kubernetes.aio.client import ApiException
from voyado_operator.api.common import ObjectKey
from voyado_operator.app import now
from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.ledger.retention import Old
from voyado_operator.reconcile.housekeeping import tidy_up
from voyado_operator.reconcile.slots import Slots
from voyado_operator.reconcile.surroundings import Surroundings


class Storage:
    def __init__(self) -> None:
        self.removed: list[str] = []
        self.cleared = 0

    def unused(self) -> list[Old]:
        return [Old(f"file:///{name}", (f"uid/{namespace}/{name}",), 1) for namespace, name in OWNERS]

    def remove(self, ledger: Old) -> bool:
        if ledger.owners == ("uid/ours/broken",):
            raise LedgerUnavailable("could not read it")
        self.removed.append(ledger.url)
        return True

    def clear(self) -> None:
        self.cleared += 1


OWNERS = [("forbidden", "a"), ("ours", "broken"), ("ours", "gone"), ("ours", "there")]


class Cluster:
    async def exists(self, _: object, key: ObjectKey) -> bool:
        if key.namespace == "forbidden":
            raise ApiException(status=403)
        return key.name == "there"


async def test_what_may_not_be_looked_at_or_removed_stays_and_stops_nothing() -> None:
    storage = Storage()

    await tidy_up(Surroundings(cast(Any, None), cast(Any, Cluster()), Slots(1), "uid", now), storage)

    assert storage.removed == ["file:///gone"]
    assert storage.cleared == 1
