"""Every health_test.yaml and action_test.yaml, judged as Argo CD's own tests judge them (its util/lua/*_test.go)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.common import Kind
from voyado_operator.api.connection import VoyadoConnection

from tests.gitops import argocd
from tests.gitops.argocd import CUSTOMIZATIONS, patch
from tests.gitops.lua import Object

MODELS = {Kind.ACTIVATION: SegmentActivation, Kind.CONNECTION: VoyadoConnection}
CLICKED = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def cases(file: str, section: str) -> list[Any]:
    found = [
        pytest.param(path.parent, case, id=f"{path.relative_to(CUSTOMIZATIONS).parts[1]}-{name(case)}")
        for path in sorted(CUSTOMIZATIONS.rglob(file))
        for case in yaml.safe_load(path.read_text())[section]
    ]
    assert found
    return found


def name(case: dict[str, Any]) -> str:
    return "-".join(filter(None, [case.get("action"), Path(case["inputPath"]).stem]))


def manifest(path: Path) -> Object:
    return dict(yaml.safe_load(path.read_text()))


def example(kind: Kind, file: str) -> Object:
    return manifest(CUSTOMIZATIONS / "voyado-operator.io" / kind / file)


@pytest.mark.parametrize(("folder", "case"), cases("health_test.yaml", "tests"))
def test_health(folder: Path, case: dict[str, Any]) -> None:
    assert argocd.health(manifest(folder / case["inputPath"])) == case["healthStatus"]


@pytest.mark.parametrize(("folder", "case"), cases("action_test.yaml", "discoveryTests"))
def test_what_is_offered(folder: Path, case: dict[str, Any]) -> None:
    """Stricter than Argo CD, which lets the expectation name more than there is."""
    found = argocd.actions(manifest(folder / case["inputPath"]))

    assert {action["name"]: action for action in found} == {action["name"]: action for action in case["result"]}


@pytest.mark.parametrize(("folder", "case"), cases("action_test.yaml", "actionTests"))
def test_what_an_action_changes(folder: Path, case: dict[str, Any]) -> None:
    found = argocd.acted(manifest(folder / case["inputPath"]), case["action"], lambda: CLICKED)

    assert found == manifest(folder / case["expectedOutputPath"])


@pytest.mark.parametrize("path", sorted(CUSTOMIZATIONS.rglob("testdata/*.yaml")), ids=lambda path: path.stem)
def test_testdata_is_what_the_operator_writes(path: Path) -> None:
    """Nothing that the models do not know, and every file in some test."""
    found = manifest(path)
    status = MODELS[Kind(found["kind"])].model_validate(found).status

    assert status.manifest() == {"observedGeneration": -1, "conditions": []} | found.get("status", {})
    assert f"testdata/{path.name}" in "".join(one.read_text() for one in path.parents[1].glob("*_test.yaml"))


def test_every_action_that_is_offered_exists_and_the_other_way_round() -> None:
    for kind in Kind:
        folder = CUSTOMIZATIONS / "voyado-operator.io" / kind / "actions"
        found = argocd.actions(example(kind, "testdata/new.yaml"))

        assert {action["name"] for action in found} == {path.parent.name for path in folder.glob("*/action.lua")}


@pytest.mark.parametrize(
    ("action", "changed"),
    [
        ("sync-now", {"metadata": {"annotations": {"voyado-operator.io/requestedAt": "2026-11-24T09:30:00Z"}}}),
        ("suspend", {"spec": {"suspend": True}}),
        ("approve", {}),
    ],
)
def test_an_action_patches_nothing_else(action: str, changed: Object) -> None:
    """managedFields are full of empty objects, which Lua cannot tell from empty lists."""
    before = example(Kind.ACTIVATION, "testdata/succeeded.yaml")
    before["metadata"]["managedFields"] = [{"manager": "argocd-controller", "fieldsV1": {"f:spec": {"f:schedule": {}}}}]
    wanted = argocd.acted(before, action, lambda: CLICKED)

    assert patch(before, wanted) == changed
