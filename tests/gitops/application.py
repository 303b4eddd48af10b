"""A team's folder in Git, and Argo CD beside it: what it applies, and whether it sees a difference."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from voyado_operator.reconcile.finalizer import WITHDRAW

from tests.cluster.world import GROUP, VERSION, World
from tests.gitops.lua import Object
from tests.gitops.watching import SERVER, live

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"
CONTROLLER = "argocd-controller"
SERVER_SIDE = ("--server-side", "--force-conflicts", f"--field-manager={CONTROLLER}")
CLIENT_SIDE = (f"--field-manager={CONTROLLER}",)
TRACKING = "argocd.argoproj.io/tracking-id"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ADDED = {LAST_APPLIED, *(f"{GROUP}/{one}" for one in ("requestedAt", "approve", "approvedBy"))}
"""Annotations that need not be in Git: of a client-side apply, of the actions, and of the chart's four-eyes policy."""
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

    def approve(self, name: str, digest: str) -> None:
        """Commit an approval."""
        manifest = yaml.safe_load(self.file(name).read_text())
        manifest["metadata"]["annotations"][f"{GROUP}/approve"] = digest
        self._commit(manifest)

    def sync(self) -> None:
        self.world.kubectl("apply", *self._how, "-f", str(self._folder))

    def difference(self) -> str:
        """What `kubectl diff` says, by the same kind of apply; a status written meanwhile is no difference."""
        command = ["-n", self.world.namespace, "diff", *self._how, "-f", str(self._folder)]
        while True:
            before = self._versions()
            done = self.world.cluster.try_kubectl(*command)
            assert done.returncode in (0, 1), done.stderr
            if self._versions() == before:
                return done.stdout

    def assert_in_sync(self) -> None:
        assert self.difference() == ""
        for desired in self.manifests():
            found = self._live(desired)
            assert found["spec"] == desired["spec"], "no default of the schema, and no hand of the operator's"
            assert_metadata_is_as_desired(found["metadata"], desired["metadata"])
            assert owned_by_the_operator(found) == {"metadata.finalizers", "status"}
            if self._how == SERVER_SIDE:
                assert_a_dry_run_changes_nothing(self.world, desired)

    def file(self, name: str) -> Path:
        return self._folder / f"{name}.yaml"

    def _live(self, manifest: Object) -> Object:
        return live(self.world, manifest["metadata"]["name"], f"{manifest['kind'].lower()}s")

    def _versions(self) -> list[str]:
        return [self._live(one)["metadata"]["resourceVersion"] for one in self.manifests()]

    def _commit(self, manifest: Object) -> None:
        self.file(manifest["metadata"]["name"]).write_text(yaml.safe_dump(manifest))


def tracked(manifest: Object) -> Object:
    """As Argo CD renders it: with its tracking annotation."""
    name = manifest["metadata"]["name"]
    tracking = f"marketing:{GROUP}/{manifest['kind']}:marketing/{name}"
    return manifest | {"metadata": manifest["metadata"] | {"annotations": {TRACKING: tracking}}}


def assert_metadata_is_as_desired(found: Object, desired: Object) -> None:
    """But for what Argo CD adds itself, what a click has set, and the operator's finalizers."""
    wanted = desired["annotations"]
    assert {
        name: value for name, value in found["annotations"].items() if name in wanted or name not in ADDED
    } == wanted
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
