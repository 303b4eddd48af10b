"""One control plane and one operator for what Argo CD and Flux would see.

The fixtures are those of tests/cluster, given anew, so that they start apart from the ones there: of two operators on
one control plane the second only waits.
"""

from pathlib import Path

import pytest

from examples.demo.shop import Shop
from tests.cluster.conftest import engage as engage
from tests.cluster.conftest import operator as operator
from tests.cluster.conftest import postgres as postgres
from tests.cluster.conftest import world as world
from tests.cluster.world import World
from tests.conftest import cluster as cluster
from tests.controlplane.postgres import Postgres
from tests.gitops.application import OPT_OUTS, SERVER_SIDE, VIPS, Application


@pytest.fixture(scope="session")
def shop(postgres: Postgres) -> Shop:
    """A quarter of its customers will do."""
    shop = Shop(postgres)
    postgres.execute("delete from customers where customer_id::int % 4 > 0")
    return shop


@pytest.fixture
def application(request: pytest.FixtureRequest, world: World, shop: Shop, tmp_path: Path) -> Application:
    """Synced, and both audiences aligned."""
    world.engage.configure(attributes={"label_vip-customers": "boolean"})
    world.engage.seed(shop.contacts())
    shop.pass_time("1997-03-31")
    application = Application(world, tmp_path, getattr(request, "param", SERVER_SIDE))
    application.sync()
    for name in (VIPS, OPT_OUTS):
        world.await_reason("Succeeded", name)
    return application
