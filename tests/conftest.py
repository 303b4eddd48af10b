"""Fixtures that many tests share; each real part starts once, when it is first asked for."""

from collections.abc import Iterator

import pytest

from tests.controlplane.processes import ControlPlane, control_plane_with_crds


@pytest.fixture(scope="session")
def cluster() -> Iterator[ControlPlane]:
    """A real kube-apiserver with the CRDs installed."""
    with control_plane_with_crds() as running:
        yield running


@pytest.fixture
def own_cluster() -> Iterator[ControlPlane]:
    """The same for one test alone."""
    with control_plane_with_crds() as running:
        yield running
