"""Of two installations in one cluster only one does anything with an object."""

from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.api.common import Kind
from voyado_operator.domain.errors import ServedElsewhere
from voyado_operator.reconcile.activation import ActivationLife
from voyado_operator.reconcile.keeper import LOOK_AGAIN, StatusKeeper
from voyado_operator.reconcile.registry import Registry, Watched
from voyado_operator.reconcile.slots import Slots
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.targets.build import identify
from voyado_operator.telemetry.metrics import Metrics

from tests.unit.reconcile.objects import NOW, activation, connection


class ApiServer:
    def __init__(self, *alive: str) -> None:
        self.alive = set(alive)
        self.events: list[str] = []
        self.handed_over: list[str] = []

    async def hand_over(self, kind: Kind, metadata: object, installation: str) -> None:
        self.handed_over.append(installation)

    async def is_another_alive(self, installation: str) -> bool:
        return installation in self.alive

    async def event(self, kind: Kind, metadata: object, severity: str, reason: str, message: str) -> None:
        self.events.append(reason)
        assert "other/lease" in message


class Life:
    """One that counts its steps."""

    def __init__(self, cluster: ApiServer, found: SegmentActivation, fails: Exception | None = None) -> None:
        self.watched = Watched(found)
        self.keeper = StatusKeeper[SegmentActivationStatus](Kind.ACTIVATION, cast(Any, cluster), found.status)
        self.steps, self.fails = 0, fails

    async def step(self) -> float | None:
        async def step() -> float | None:
            self.steps += 1
            if self.fails is not None:
                raise self.fails
            return 7

        return await self.keeper.unless_served_elsewhere(self.watched, self.watched.latest.status.served_by, step)


def served_by(installation: str | None, members: int = 0) -> SegmentActivation:
    return activation(status={"members": members} | ({"servedBy": installation} if installation else {}))


@pytest.mark.parametrize("server", [None, "mine/lease", "gone/lease"])
async def test_what_nobody_else_serves_is_worked_on(server: str | None) -> None:
    life = Life(ApiServer("other/lease"), served_by(server))

    assert await life.step() == 7
    assert life.steps == 1


async def test_what_another_serves_is_left_alone_and_that_is_said_once() -> None:
    cluster = ApiServer("other/lease")
    life = Life(cluster, served_by("other/lease"))

    assert [await life.step(), await life.step()] == [LOOK_AGAIN, LOOK_AGAIN]
    assert life.steps == 0
    assert cluster.events == ["ServedElsewhere"]
    assert cluster.handed_over == ["other/lease"]


async def test_when_the_other_has_ended_its_status_is_gone_on_with() -> None:
    cluster = ApiServer("other/lease")
    life = Life(cluster, served_by("other/lease", members=1))
    await life.step()
    life.watched.take_in(served_by("other/lease", members=9))
    cluster.alive.clear()

    assert await life.step() == 7
    assert life.keeper.status.members == 9


async def test_one_that_was_slower_stands_back() -> None:
    """Both saw an object that nobody served; the API server took the other's status first."""
    cluster = ApiServer("other/lease")
    life = Life(cluster, served_by(None), fails=ServedElsewhere("other/lease"))

    assert await life.step() == LOOK_AGAIN
    assert cluster.events == ["ServedElsewhere"]


@pytest.mark.parametrize("own", [None, "mine/lease"])
async def test_who_serves_the_connection_serves_its_activations(own: str | None) -> None:
    """Else each of two installations could drive one of two activations of a target."""
    cluster, registry = ApiServer("other/lease"), Registry(identify)
    used = connection()
    status = used.status.model_copy(update={"served_by": "other/lease"})
    registry.connection_seen(used.model_copy(update={"status": status}))
    found = served_by(own)
    registry.activation_seen(found)
    around = Surroundings(cast(Any, None), cast(Any, cluster), Slots(1), "uid", lambda: NOW)
    watched = registry.activations[found.metadata.key]
    life = ActivationLife(watched, around, registry, Metrics(CollectorRegistry()), lambda: False)

    assert await life.step() == LOOK_AGAIN
    assert cluster.handed_over == ["other/lease"]
