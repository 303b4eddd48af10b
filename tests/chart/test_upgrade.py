"""`helm install` and `helm upgrade` for real; what uninstalling keeps is in cluster/test_upgrade_page.py."""

from pathlib import Path

from tests.cluster.world import World
from tests.controlplane.postgres import Postgres
from tests.controlplane.processes import ControlPlane
from tests.engage import EngageAdmin
from tests.installed import log_in
from tests.running import running_operator
from tests.tools.chart import CHART, NAME, helm


def test_an_activation_goes_on_after_an_upgrade(
    bare_cluster: ControlPlane, postgres: Postgres, engage: EngageAdmin, tmp_path: Path
) -> None:
    # Helm's own folders are not in the home of whoever runs the tests.
    here = {"KUBECONFIG": str(bare_cluster.kubeconfig), "HOME": str(tmp_path)}
    said = helm("install", NAME, str(CHART), "--namespace=default", **here)
    assert "a first SegmentActivation" in said
    kubeconfig = log_in(bare_cluster, NAME)
    with running_operator(kubeconfig, tmp_path) as operator:
        world = World(bare_cluster, operator, postgres, engage, "upgraded")
        people = world.people(20)
        world.select(people)
        world.connect()
        before = world.start(world.activation(schedule={"every": "1h"}))
        operator.stop()
    writes = world.writes

    helm("upgrade", NAME, str(CHART), "--namespace=default", "--set=log.level=DEBUG", **here)
    with running_operator(kubeconfig, tmp_path) as operator:
        world.select(people[:18])
        after = world.run()
        operator.stop()

    assert after["history"][1:] == before["history"], "an upgrade is no reason to run"
    assert world.labelled == set(people[:18])
    assert world.writes - writes == 2, "only who left is sent"
    world.close()
