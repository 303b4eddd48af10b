"""The parts of the demo, all of them real but the tenant: control plane, PostgreSQL, simulated Engage, operator."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from examples.demo.shop import Shop
from tests.controlplane.postgres import Postgres, running_postgres
from tests.controlplane.processes import ControlPlane, control_plane, install_crds
from tests.engage import EngageAdmin, running_simulator
from tests.running import Operator, running_operator

ENGAGE_PORT, POSTGRES_PORT, POSTGRES_PASSWORD = 18080, 15432, "only-for-the-demo"  # as in examples/quickstart


@dataclass(frozen=True)
class Stage:
    """Everything that runs."""

    cluster: ControlPlane
    postgres: Postgres
    shop: Shop
    engage: EngageAdmin
    operator: Operator


@contextmanager
def staged() -> Iterator[Stage]:
    """Start it all; KUBECONFIG names a cluster to use in place of a new one."""
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres(POSTGRES_PORT, POSTGRES_PASSWORD))
        engage = stack.enter_context(running_simulator(ENGAGE_PORT))
        shop = Shop(postgres)
        engage.configure(attributes={"label_vip-customers": "boolean"})
        engage.seed(shop.contacts())
        existing = os.environ.get("KUBECONFIG")
        cluster = ControlPlane(Path(existing)) if existing else stack.enter_context(control_plane())
        install_crds(cluster)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="voyado-demo-")))
        operator = stack.enter_context(running_operator(cluster.kubeconfig, folder))
        yield Stage(cluster, postgres, shop, engage, operator)
