"""The patch of argocd-cm gives Argo CD the same Lua as the files, read back as Argo CD reads it."""

import yaml
from voyado_operator.api.common import GROUP, Kind

from examples.argocd.__main__ import PATCH, patch
from tests.gitops.argocd import CUSTOMIZATIONS


def test_the_committed_patch_is_what_the_generator_gives() -> None:
    assert PATCH.read_text() == patch(), "run `python -m examples.argocd`"


def test_argocd_reads_the_same_lua_from_it() -> None:
    data = yaml.safe_load(PATCH.read_text())["data"]

    assert len(data) == 2 * len(Kind)
    for kind in Kind:
        folder = CUSTOMIZATIONS / GROUP / kind
        given = yaml.safe_load(data[f"resource.customizations.actions.{GROUP}_{kind}"])
        assert data[f"resource.customizations.health.{GROUP}_{kind}"] == (folder / "health.lua").read_text()
        assert given["discovery.lua"] == (folder / "actions" / "discovery.lua").read_text()
        assert {one["name"]: one["action.lua"] for one in given["definitions"]} == {
            path.parent.name: path.read_text() for path in folder.glob("actions/*/action.lua")
        }
