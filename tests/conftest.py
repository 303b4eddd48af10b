"""Fixtures that many tests share; each real part starts once, when it is first asked for."""

from collections.abc import Iterator

import pytest

from tests.controlplane.processes import ControlPlane, control_plane
from tests.installed import Cluster, installed_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A real kube-apiserver with the chart installed."""
    with installed_cluster() as running:
        yield running


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """The same for one test alone."""
    with installed_cluster() as running:
        yield running


@pytest.fixture
def bare_cluster() -> Iterator[ControlPlane]:
    """A real kube-apiserver that has seen nothing of ours yet."""
    with control_plane() as running:
        yield running
