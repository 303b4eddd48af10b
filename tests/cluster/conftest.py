from collections.abc import Iterator
from itertools import count

import pytest

from tests.cluster.world import World, namespace_of
from tests.controlplane.postgres import Postgres, running_postgres
from tests.engage import EngageAdmin, running_tenant
from tests.installed import Cluster
from tests.running import Operator, running_operator

numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as running:
        yield running


@pytest.fixture(scope="session")
def operator(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """One operator for all tests, as in a cluster: each test has a namespace of its own."""
    with running_operator(cluster.operator_kubeconfig, tmp_path_factory.mktemp("operator")) as running:
        yield running


@pytest.fixture
def engage() -> Iterator[EngageAdmin]:
    with running_tenant("label_vip", "label_gold") as running:
        yield running


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    operator: Operator,
    postgres: Postgres,
    engage: EngageAdmin,
) -> Iterator[World]:
    world = World(cluster, operator, postgres, engage, namespace_of(request.node.name, next(numbers)))
    yield world
    world.delete_all()
    world.close()
