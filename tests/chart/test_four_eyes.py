"""With `fourEyes.enabled` only who has the verb `approve` lets a plan out, and the history tells who it was."""

import time
from collections.abc import Iterator

import pytest
import yaml

from tests.cluster.world import GROUP, World
from tests.installed import Cluster, installed_cluster
from tests.running import Operator, running_operator
from tests.tools.chart import rendered

EDITOR, APPROVER = "erik", "anna"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """With both policies of the chart in force."""
    with installed_cluster() as running:
        policies = [one for one in rendered({"fourEyes": {"enabled": True}}) if "AdmissionPolicy" in one["kind"]]
        running.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(policies))
        await_enforcement(running)
        yield running


@pytest.fixture(scope="module")
def operator(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with running_operator(cluster.operator_kubeconfig, tmp_path_factory.mktemp("operator")) as running:
        yield running


@pytest.fixture
def blocked(world: World) -> str:
    """The digest of a plan that waits; an editor and an approver have the chart's roles in its namespace."""
    for user, roles in {EDITOR: ["view", "edit"], APPROVER: ["view", "edit", "approve"]}.items():
        for role in roles:
            name = f"{user}-{role}"
            world.kubectl("create", "rolebinding", name, f"--clusterrole=voyado-operator-{role}", f"--user={user}")
    people = world.people(60)
    world.connect()
    world.select(people)
    world.start(world.activation())
    world.select(people[:30])
    return str(world.run()["plan"]["digest"])


def await_enforcement(running: Cluster) -> None:
    """The API server takes new policies into use a moment after they were applied, and tells nobody when."""
    running.kubectl("create", "rolebinding", EDITOR, "--clusterrole=voyado-operator-edit", f"--user={EDITOR}")
    dry_run = ["create", "--dry-run=server", "-o=json", "-f", "-"]
    deadline = time.monotonic() + 30
    while not (
        "approvedBy" in running.try_kubectl(*dry_run, stdin=APPROVED).stdout
        and "may not approve" in running.try_kubectl(*dry_run, f"--as={EDITOR}", stdin=APPROVED).stderr
    ):
        assert time.monotonic() < deadline, "the policies are not enforced"
        time.sleep(0.1)


APPROVED = yaml.safe_dump(
    {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "SegmentActivation",
        "metadata": {"name": "probe", "namespace": "default", "annotations": {f"{GROUP}/approve": "sha256:0"}},
        "spec": {
            "connectionRef": {"name": "engage"},
            "audience": {"contactIds": ["2f6b8a0e-0000-4000-8000-000000000001"]},
            "target": {"label": {"name": "vip"}},
        },
    }
)


def annotate(world: World, user: str, *annotations: str) -> str:
    """What kubectl says when this user sets the annotations; empty when it is allowed."""
    said = world.cluster.try_kubectl(
        "-n",
        world.namespace,
        f"--as={user}",
        "annotate",
        "segact",
        "vip",
        "--overwrite",
        *(f"{GROUP}/{one}" for one in annotations),
    )
    return said.stderr if said.returncode else ""


def test_an_editor_may_not_approve(world: World, blocked: str) -> None:
    said = annotate(world, EDITOR, f"approve={blocked}")

    assert "erik may not approve plans here; somebody with the verb approve on segmentactivations can" in said
    assert annotate(world, EDITOR, "requestedAt=now") == "", "and may do everything else"


def test_an_approver_may_and_the_history_says_so(world: World, blocked: str) -> None:
    assert annotate(world, APPROVER, f"approve={blocked}", "approvedBy=somebody-else") == ""

    status = world.await_status(lambda now: now.get("lastHandledApproval") == blocked)

    assert status["history"][0]["approvedBy"] == APPROVER
    assert len(world.labelled) == 30
    assert "approvedBy" not in status["history"][1]


def test_the_stamp_cannot_be_changed_afterwards(world: World, blocked: str) -> None:
    annotate(world, APPROVER, f"approve={blocked}")
    assert annotate(world, EDITOR, "approvedBy=erik") == ""

    assert world.kubectl("get", "segact", "vip", "-o", "jsonpath={.metadata.annotations}").count('"anna"') == 1


def test_an_editor_may_take_the_approval_away(world: World, blocked: str) -> None:
    annotate(world, APPROVER, f"approve={blocked}")
    assert annotate(world, EDITOR, "approve-") == ""


def test_an_editor_may_not_create_an_approved_one(world: World, blocked: str) -> None:
    said = world.cluster.try_kubectl(
        "-n",
        world.namespace,
        f"--as={EDITOR}",
        "create",
        "-f",
        "-",
        stdin=APPROVED.replace("namespace: default", f"namespace: {world.namespace}"),
    )
    assert "may not approve" in said.stderr
