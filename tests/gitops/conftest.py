"""One control plane and one operator for what Argo CD and Flux would see."""

from collections.abc import Iterator

import pytest

from tests.cluster.conftest import engage as engage
from tests.cluster.conftest import operator as operator
from tests.cluster.conftest import postgres as postgres
from tests.cluster.conftest import world as world
from tests.controlplane.processes import ControlPlane, control_plane_with_crds


@pytest.fixture(scope="session")
def cluster() -> Iterator[ControlPlane]:
    """Not the one of tests/cluster: that has an operator of its own, and there can be only one."""
    with control_plane_with_crds() as running:
        yield running
