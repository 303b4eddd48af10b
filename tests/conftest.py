"""Fixtures that many tests share; each real part starts once, when it is first asked for."""

from collections.abc import Iterator

import pytest

from tests.controlplane.processes import ControlPlane, control_plane


@pytest.fixture(scope="session")
def cluster() -> Iterator[ControlPlane]:
    """A real kube-apiserver with the CRDs installed."""
    with control_plane() as running:
        running.kubectl("apply", "--server-side", "-f", "crds/")
        running.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        yield running
