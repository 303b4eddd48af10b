"""One Prometheus and one operator for all tests, which scrape and are scraped whatever becomes of the operator."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.cluster.world import World, namespace_of
from tests.controlplane.postgres import Postgres, running_postgres
from tests.engage import EngageAdmin, running_tenant
from tests.faults.restarting import Restarting
from tests.installed import Cluster
from tests.monitoring.prometheus import Prometheus, running_prometheus

LEVER = Path(__file__).parent / "lever"
numbers = count(1)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with running_prometheus(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


@pytest.fixture(scope="module")
def operators(
    cluster: Cluster, prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Restarting]:
    """Scraped, and with the lever that holds its event loop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(LEVER), os.environ.get("PYTHONPATH")))))
        restarting = Restarting(cluster.operator_kubeconfig, tmp_path_factory.mktemp("operator"))
        prometheus.scrape(restarting.running.metrics_port)
        yield restarting
        restarting.close()


@pytest.fixture
def engage() -> Iterator[EngageAdmin]:
    with running_tenant("label_vip") as running:
        yield running


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    operators: Restarting,
    postgres: Postgres,
    engage: EngageAdmin,
) -> Iterator[World]:
    world = World(cluster, operators.running, postgres, engage, namespace_of(request.node.name, next(numbers)))
    yield world
    engage.faults()
    world.delete_all()
    world.close()
