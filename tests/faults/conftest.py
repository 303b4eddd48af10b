"""Faults of a whole installation: each module has a control plane and an operator of its own."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.cluster.world import World
from tests.controlplane.postgres import Postgres, running_postgres
from tests.engage import EngageAdmin, running_simulator
from tests.faults.restarting import Restarting
from tests.faults.scheduled import HOURLY, aligned
from tests.installed import Cluster, installed_cluster

numbers = count(1)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with installed_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as running:
        yield running


@pytest.fixture
def restarting(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restarting]:
    operators = Restarting(cluster.operator_kubeconfig, tmp_path_factory.mktemp("operator"))
    yield operators
    operators.close()


@pytest.fixture
def engage() -> Iterator[EngageAdmin]:
    with running_simulator() as running:
        running.configure(
            attributes={"label_vip": "boolean", "label_gold": "boolean"},
            consents={"partnerTerms": "Partner terms"},
            labelOperation=True,
        )
        yield running


@pytest.fixture
def world(cluster: Cluster, restarting: Restarting, postgres: Postgres, engage: EngageAdmin) -> Iterator[World]:
    world = World(cluster, restarting.running, postgres, engage, f"faults-{next(numbers)}")
    yield world
    if restarting.running.process.poll() is None:
        world.delete_all()
    world.close()


@pytest.fixture
def people(world: World) -> list[str]:
    """Thirty contacts, twenty of them labelled."""
    found = world.people(30)
    world.select(found[:20])
    world.connect(bulk={"mode": "Off"}, probeInterval="10s")
    world.apply(world.activation(schedule=HOURLY))
    aligned(world, found[:20])
    return found
