"""`helm install` and `helm upgrade` for real; what uninstalling keeps is in cluster/test_upgrade_page.py."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.world import World
from tests.controlplane.postgres import Postgres
from tests.controlplane.processes import ControlPlane, control_plane
from tests.engage import EngageAdmin
from tests.installed import log_in
from tests.running import running_operator
from tests.tools.build import BIN
from tests.tools.chart import CHART, NAME


@pytest.fixture
def cluster() -> Iterator[ControlPlane]:
    with control_plane() as running:
        yield running


def helm(cluster: ControlPlane, folder: Path, *arguments: str) -> str:
    """Helm's own folders are in `folder`, not in the home of whoever runs the tests."""
    environment = os.environ | {"KUBECONFIG": str(cluster.kubeconfig), "HOME": str(folder)}
    done = subprocess.run([BIN / "helm", *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_activation_goes_on_after_an_upgrade(
    cluster: ControlPlane, postgres: Postgres, engage: EngageAdmin, tmp_path: Path
) -> None:
    said = helm(cluster, tmp_path, "install", NAME, str(CHART), "--namespace=default")
    assert "a first SegmentActivation" in said
    kubeconfig = log_in(cluster, NAME)
    with running_operator(kubeconfig, tmp_path) as operator:
        world = World(cluster, operator, postgres, engage, "upgraded")
        people = world.people(20)
        world.select(people)
        world.connect()
        before = world.start(world.activation(schedule={"every": "1h"}))
        operator.stop()
    writes = world.writes

    helm(cluster, tmp_path, "upgrade", NAME, str(CHART), "--namespace=default", "--set=log.level=DEBUG")
    with running_operator(kubeconfig, tmp_path) as operator:
        world.select(people[:18])
        after = world.run()
        operator.stop()

    assert after["history"][1:] == before["history"], "an upgrade is no reason to run"
    assert world.labelled == set(people[:18])
    assert world.writes - writes == 2, "only who left is sent"
    world.close()
