"""Whatever a released CRD accepts, the present one accepts too; and the check of that finds every way to break it.

A release adds a folder: `cp crds/*.yaml tests/compatibility/released/vX.Y.Z/`.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from voyado_operator.api.crd import files

from tests.compatibility.exceptions import DECIDED
from tests.compatibility.schemas import ROOMIER_WHEN_HIGHER, ROOMIER_WHEN_LOWER, broken

RELEASED = Path(__file__).parents[1] / "compatibility" / "released"
CRDS = {name: yaml.safe_load(text) for name, text in files().items()}
Node = dict[str, Any]
Change = Callable[[Node], object]


def test_the_present_crds_break_nothing_that_was_released() -> None:
    found = {
        f"{crd.stem} {one}"
        for crd in sorted(RELEASED.glob("v*/*.yaml"))
        for one in broken(yaml.safe_load(crd.read_text()), CRDS[crd.name])
    }

    assert found == DECIDED.keys(), "add instead of changing; or decide it in tests/compatibility/exceptions.py"


def test_every_release_has_both_crds() -> None:
    releases = list(RELEASED.iterdir())
    assert releases
    for release in releases:
        assert {crd.name for crd in release.iterdir()} == CRDS.keys()


# The check itself: every field of the real schemas is made narrower and wider in every way that applies to it.


def nodes(schema: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every field with its path, as in `spec.audience.contactIds[]`."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from nodes(field, f"{path}.{name}".lstrip("."))
    if isinstance(schema.get("items"), dict):
        yield from nodes(schema["items"], f"{path}[]")


def schema_of(crd: Node) -> Node:
    schema: Node = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def narrowing(node: Node) -> Iterator[tuple[str, Change]]:
    """Names of changes that take something away, with what makes them."""
    yield "new rule", lambda at: at.setdefault("x-kubernetes-validations", []).append({"rule": "false"})
    yield "unknown keyword", lambda at: at.update({"x-kubernetes-embedded-resource": True})
    yield "other type", lambda at: at.update(type="boolean" if at.get("type") != "boolean" else "string")
    if node.get("type") == "string":
        yield "pattern", lambda at: at.update(pattern="^never$")
        yield "enum", lambda at: at.update(enum=at.get("enum", ["one"])[:1] if len(at.get("enum", [])) != 1 else ["x"])
        yield "format", lambda at: at.update(format="uuid")
    if "default" in node:
        yield "default", lambda at: at.pop("default")
    if "x-kubernetes-list-map-keys" in node:
        yield "list keys", lambda at: at.update({"x-kubernetes-list-map-keys": ["other"]})
    for keyword in ROOMIER_WHEN_LOWER & node.keys():
        yield f"higher {keyword}", lambda at, keyword=keyword: at.update({keyword: at[keyword] + 1})
    for keyword in ROOMIER_WHEN_HIGHER & node.keys():
        yield f"lower {keyword}", lambda at, keyword=keyword: at.update({keyword: at[keyword] - 1})
    if node.get("type") == "integer" and "maximum" not in node:
        yield "first maximum", lambda at: at.update(maximum=10)
    for name in node.get("properties", {}):
        yield f"without {name}", lambda at, name=name: at["properties"].pop(name)
        if name not in node.get("required", []):
            yield f"{name} required", lambda at, name=name: at.setdefault("required", []).append(name)
    if "properties" in node:
        yield "new required field", lambda at: (with_a_new_field(at), at.setdefault("required", []).append("newcomer"))


def widening(node: Node) -> Iterator[tuple[str, Change]]:
    """Names of changes that only add, with what makes them."""
    yield "other words", lambda at: at.update(description="said better")
    for keyword in ROOMIER_WHEN_LOWER & node.keys():
        yield f"lower {keyword}", lambda at, keyword=keyword: at.update({keyword: at[keyword] - 1})
    for keyword in ROOMIER_WHEN_HIGHER & node.keys():
        yield f"higher {keyword}", lambda at, keyword=keyword: at.update({keyword: at[keyword] + 1})
    for keyword in ("pattern", "format", "enum", "x-kubernetes-validations", "required"):
        if keyword in node:
            yield f"without {keyword}", lambda at, keyword=keyword: at.pop(keyword)
    if "enum" in node:
        yield "one value more", lambda at: at["enum"].append("Another")
    if "x-kubernetes-validations" in node:
        yield "a better message", lambda at: at["x-kubernetes-validations"][0].update(message="clearer")
    if "properties" in node:
        yield "new field", with_a_new_field


def with_a_new_field(node: Node) -> None:
    """A field that has rules of its own, which take nothing away from anybody."""
    rules = [{"rule": "self != ''", "message": "not empty"}]
    node["properties"]["newcomer"] = {"type": "string", "maxLength": 3, "x-kubernetes-validations": rules}


def tried(name: str, changes: Callable[[Node], Iterator[tuple[str, Change]]]) -> Iterator[tuple[str, list[str]]]:
    """Each change of each field of the CRD, alone: `path: what`, and what the check finds then."""
    for path, node in nodes(schema_of(CRDS[name])):
        for what, change in changes(node):
            present = copied(CRDS[name])
            change(dict(nodes(schema_of(present)))[path])
            yield f"{path}: {what}", broken(CRDS[name], present)


def copied(crd: Node) -> Node:
    """Also of what YAML's anchors share."""
    copy: Node = json.loads(json.dumps(crd))
    return copy


@pytest.mark.parametrize("name", CRDS)
def test_whatever_takes_something_away_is_found_where_it_is(name: str) -> None:
    findings = dict(tried(name, narrowing))
    assert len(findings) > 100
    missed = [
        change
        for change, found in findings.items()
        if not found or not all(one.startswith(f"v1alpha1.{change.split(':')[0]}".rstrip(".")) for one in found)
    ]
    assert missed == []


@pytest.mark.parametrize("name", CRDS)
def test_whatever_only_adds_is_fine(name: str) -> None:
    findings = dict(tried(name, widening))
    assert len(findings) > 100
    assert [change for change, found in findings.items() if found] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda spec: spec.update(scope="Cluster"),
        lambda spec: spec["names"].update(plural="others"),
        lambda spec: spec["names"]["shortNames"].clear(),
        lambda spec: spec["versions"][0].update(served=False),
        lambda spec: spec["versions"][0].update(name="v1beta1"),
        lambda spec: spec["versions"][0].pop("subresources"),
        lambda spec: spec["versions"][0].pop("selectableFields"),
    ],
    ids=["scope", "plural", "short names", "not served", "renamed version", "subresources", "selectable fields"],
)
def test_a_crd_that_is_found_by_other_words_is_found(change: Change) -> None:
    [crd] = [crd for crd in CRDS.values() if crd["spec"]["names"]["kind"] == "SegmentActivation"]
    present = copied(crd)
    change(present["spec"])
    assert broken(crd, present)


def test_a_second_version_beside_the_first_is_fine() -> None:
    for crd in CRDS.values():
        present = copied(crd)
        [first] = present["spec"]["versions"]
        present["spec"]["versions"] = [{**first, "name": "v1beta1"}, {**first, "storage": False}]
        assert broken(crd, present) == []
