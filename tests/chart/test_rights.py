"""The operator lives its whole life with the rights that the chart gives, and needs every one of them."""

from pathlib import Path

from tests.cluster.world import World
from tests.controlplane.postgres import Postgres
from tests.engage import EngageAdmin
from tests.installed import Cluster, grant, log_in
from tests.running import running_operator
from tests.tools.chart import Manifest, rendered

Right = tuple[str, str, str]
"""API group, resource with its subresource, verb."""


def granted(manifests: list[Manifest]) -> set[Right]:
    rules = [rule for one in manifests if one["kind"] in ("Role", "ClusterRole") for rule in one["rules"]]
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(events: list[Manifest]) -> set[Right]:
    """What was asked for of resources; discovery and /version are open to everybody."""
    asked = set()
    for event in events:
        if (ref := event.get("objectRef")) and "resource" in ref:
            resource = "/".join(filter(None, [ref["resource"], ref.get("subresource")]))
            asked.add((ref.get("apiGroup", ""), resource, event["verb"]))
    return asked


def live(
    cluster: Cluster,
    kubeconfig: Path,
    postgres: Postgres,
    engage: EngageAdmin,
    folder: Path,
    namespace: str,
    **settings: str,
) -> None:
    """Applied, run, refused, withdrawn, deleted; and the operator stopped and started again."""
    with running_operator(kubeconfig, folder, **settings) as operator:
        world = World(cluster, operator, postgres, engage, namespace)
        people = world.people(30)
        world.select(people)
        world.connect()
        world.start(world.activation(deletionPolicy="Withdraw"))
        world.select([])
        world.run()
        world.await_event("GuardBlocked", "allowEmpty")
        world.delete_all()
        assert world.labelled == set()
        operator.stop()
    with running_operator(kubeconfig, folder, **settings):
        world.close()


def test_cluster_wide(own_cluster: Cluster, postgres: Postgres, engage: EngageAdmin, tmp_path: Path) -> None:
    live(own_cluster, own_cluster.operator_kubeconfig, postgres, engage, tmp_path, "brand")

    of_users = {"voyado-operator-view", "voyado-operator-edit", "voyado-operator-approve"}
    assert used(own_cluster.asked()) == granted([one for one in rendered() if one["metadata"]["name"] not in of_users])


def test_one_namespace(own_cluster: Cluster, postgres: Postgres, engage: EngageAdmin, tmp_path: Path) -> None:
    """With Roles only: the ServiceAccount of another release, which has no ClusterRole."""
    manifests = rendered({"namespaces": ["team"], "serviceAccount": {"name": "of-the-team"}}, release="team-operator")
    assert not {one["kind"] for one in manifests} & {"ClusterRole", "ClusterRoleBinding"}
    own_cluster.kubectl("create", "namespace", "team")
    grant(own_cluster, manifests)

    live(own_cluster, log_in(own_cluster, "of-the-team"), postgres, engage, tmp_path, "team", NAMESPACES="team")

    assert used(own_cluster.asked()) == granted(manifests)
