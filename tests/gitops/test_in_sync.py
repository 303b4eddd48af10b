"""The operator never makes an Application OutOfSync: what Git says and what the cluster holds stay the same.

The examples are applied as Argo CD applies them, then the real operator works on them, and after each step desired and
live are compared in the three ways that Argo CD knows: by the answer to a dry run of a server-side apply, by a
three-way merge with last-applied-configuration, and field by field without the status.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from voyado_operator.reconcile.finalizer import WITHDRAW

from examples.demo.shop import Shop
from tests.cluster.world import GROUP, VERSION, World
from tests.controlplane.postgres import Postgres
from tests.gitops.lua import Object
from tests.gitops.watching import SERVER, click, live

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"
CONTROLLER = "argocd-controller"
SERVER_SIDE = ("--server-side", "--force-conflicts", f"--field-manager={CONTROLLER}")
CLIENT_SIDE = (f"--field-manager={CONTROLLER}",)
TRACKING = "argocd.argoproj.io/tracking-id"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ADDED = {LAST_APPLIED, f"{GROUP}/requestedAt", f"{GROUP}/approve"}
"""Annotations that are not in Git: of a client-side apply, and of the actions."""
VIPS, OPT_OUTS = "vip-customers", "email-opt-outs"


class Application:
    """The quickstart as a team's folder in Git, and Argo CD beside it; `how` are the flags of its apply."""

    def __init__(self, world: World, folder: Path, how: tuple[str, ...]) -> None:
        self.world, self._folder, self._how = world, folder, how
        for path in QUICKSTART.glob("0[2-4]-*.yaml"):
            self._commit(tracked(yaml.safe_load(path.read_text())))
        self.change("engage", url=world.engage.url)

    def manifests(self) -> list[Object]:
        return [yaml.safe_load(path.read_text()) for path in self._folder.iterdir()]

    def change(self, name: str, **spec: Any) -> None:
        """Commit other values for fields of a manifest's spec."""
        manifest = yaml.safe_load(self.file(name).read_text())
        self._commit(manifest | {"spec": manifest["spec"] | spec})

    def sync(self) -> None:
        self.world.kubectl("apply", *self._how, "-f", str(self._folder))

    def difference(self) -> str:
        """What `kubectl diff` says, by the same kind of apply."""
        done = self.world.cluster.try_kubectl("-n", self.world.namespace, "diff", *self._how, "-f", str(self._folder))
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    def assert_in_sync(self) -> None:
        assert self.difference() == ""
        for desired in self.manifests():
            found = live(self.world, desired["metadata"]["name"], f"{desired['kind'].lower()}s")
            assert found["spec"] == desired["spec"], "no default of the schema, and no hand of the operator's"
            assert_metadata_is_as_desired(found["metadata"], desired["metadata"])
            assert owned_by_the_operator(found) == {"metadata.finalizers", "status"}
            if self._how == SERVER_SIDE:
                assert_a_dry_run_changes_nothing(self.world, desired)

    def file(self, name: str) -> Path:
        return self._folder / f"{name}.yaml"

    def _commit(self, manifest: Object) -> None:
        self.file(manifest["metadata"]["name"]).write_text(yaml.safe_dump(manifest))


@pytest.fixture(scope="session")
def shop(postgres: Postgres) -> Shop:
    """A quarter of its customers will do."""
    shop = Shop(postgres)
    postgres.execute("delete from customers where customer_id::int % 4 > 0")
    return shop


both_ways = pytest.mark.parametrize(
    "application", [SERVER_SIDE, CLIENT_SIDE], ids=["server-side", "client-side"], indirect=True
)


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


@both_ways
def test_aligned_audiences_are_in_sync(application: Application, shop: Shop) -> None:
    application.assert_in_sync()
    assert application.world.engage.attribute("label_vip-customers") == shop.vips()


def test_runs_by_schedule_and_by_click_are_in_sync(application: Application) -> None:
    world = application.world
    application.change(VIPS, schedule={"every": "10s"})
    application.sync()
    first = world.await_status(lambda now: now["observedGeneration"] == 2 and "nextRunTime" in now, VIPS)
    world.await_status(lambda now: now["lastRun"]["id"] != first["lastRun"]["id"], VIPS)
    application.assert_in_sync()

    click(world, "sync-now", VIPS)

    world.await_status(lambda now: "lastHandledReconcileAt" in now, VIPS)
    application.assert_in_sync()


@both_ways
def test_a_blocked_plan_and_its_approval_are_in_sync(application: Application, shop: Shop) -> None:
    world = application.world
    shop.pass_time("1997-12-31")
    click(world, "sync-now", VIPS)
    world.await_reason("GuardBlocked", VIPS)
    application.assert_in_sync()

    click(world, "approve", VIPS)

    world.await_reason("Succeeded", VIPS)
    assert world.engage.attribute("label_vip-customers") == shop.vips()
    application.assert_in_sync()


def test_what_git_suspends_and_withdraws_is_in_sync(application: Application) -> None:
    application.change(VIPS, suspend=True, deletionPolicy="Withdraw")
    application.sync()
    application.world.await_reason("Suspended", VIPS)
    application.world.await_status(lambda _: WITHDRAW in live(application.world, VIPS)["metadata"]["finalizers"], VIPS)

    application.assert_in_sync()


@both_ways
def test_what_a_click_suspends_stays_so_where_git_says_nothing_about_it(application: Application) -> None:
    click(application.world, "suspend", VIPS)
    application.world.await_reason("Suspended", VIPS)
    assert application.difference() == ""

    application.sync()

    assert live(application.world, VIPS)["spec"]["suspend"] is True


def test_what_git_says_otherwise_is_a_difference(application: Application) -> None:
    """The other way round, so that the comparison is known to see one."""
    application.change(VIPS, suspend=False)
    application.sync()
    click(application.world, "suspend", VIPS)

    assert "suspend" in application.difference()
    application.sync()
    assert application.difference() == ""


def test_a_replacement_that_drops_every_annotation_runs_nothing_again(application: Application) -> None:
    """`Replace=true`, or Flux, which takes away what kubectl has set: what was handled is remembered in the status."""
    world = application.world
    click(world, "sync-now", VIPS, clock=lambda: datetime(2026, 11, 24, 9, tzinfo=UTC))
    ran = world.await_status(lambda now: "lastHandledReconcileAt" in now, VIPS)

    world.kubectl("replace", "-f", str(application.file(VIPS)))
    await_finalizer(world)
    assert f"{GROUP}/requestedAt" not in live(world, VIPS)["metadata"]["annotations"]
    world.annotate(VIPS, "requestedAt", "2026-11-24T09:00:00Z")
    world.annotate(VIPS, "requestedAt", "later")

    again = world.await_status(lambda now: now["lastHandledReconcileAt"] == "later", VIPS)
    assert again["history"][1:] == ran["history"]


def await_finalizer(world: World) -> None:
    """A replacement drops it too; the operator has seen the new object once it is back."""
    for one in world.objects_seen(VIPS):
        if one["metadata"].get("finalizers"):
            return
    raise AssertionError("the operator did not put its finalizer back")


def tracked(manifest: Object) -> Object:
    """As Argo CD renders it: with its tracking annotation."""
    name = manifest["metadata"]["name"]
    tracking = f"marketing:{GROUP}/{manifest['kind']}:marketing/{name}"
    return manifest | {"metadata": manifest["metadata"] | {"annotations": {TRACKING: tracking}}}


def assert_metadata_is_as_desired(found: Object, desired: Object) -> None:
    """But for what Argo CD adds itself, what a click has set, and the operator's finalizers."""
    annotations = {name: value for name, value in found["annotations"].items() if name not in ADDED}
    assert annotations == desired["annotations"]
    assert "labels" not in found
    assert set(found["finalizers"]) <= {f"{GROUP}/finalizer", WITHDRAW}


def owned_by_the_operator(found: Object) -> set[str]:
    """What belongs to any manager that is not Argo CD, as `metadata.finalizers`."""
    entries = [one for one in found["metadata"]["managedFields"] if one["manager"] not in (CONTROLLER, SERVER)]
    return {path for entry in entries for path in _paths(entry["fieldsV1"])}


def _paths(fields: Object) -> Iterator[str]:
    for name, inner in fields.items():
        if name == "f:metadata":
            yield from (f"metadata.{one.removeprefix('f:')}" for one in inner if one != ".")
        else:
            yield name.removeprefix("f:")


def assert_a_dry_run_changes_nothing(world: World, desired: Object) -> None:
    """A dry run of the apply answers with the object as it is, resourceVersion and managedFields included."""
    where = (GROUP, VERSION, world.namespace, f"{desired['kind'].lower()}s", desired["metadata"]["name"])
    how = {"field_manager": CONTROLLER, "force": True, "_content_type": "application/apply-patch+yaml"}
    while True:  # until the operator wrote no status in between
        before = world.objects.get_namespaced_custom_object(*where)
        predicted = world.objects.patch_namespaced_custom_object(*where, desired, dry_run="All", **how)
        if world.objects.get_namespaced_custom_object(*where) == before:
            break
    assert predicted == before
