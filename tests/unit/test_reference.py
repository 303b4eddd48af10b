"""Each field of the CRDs has a row in its page, with default and limits; no page names a field that there is not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from voyado_operator.api.activation import SegmentActivationSpec
from voyado_operator.api.connection import VoyadoConnectionSpec
from voyado_operator.domain.errors import Retry, RunError, Stall

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "examples" / "README.md"]
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CELLS = re.compile(r"(?<!\\)\|")
PATH = re.compile(r"`((?:spec|status)(?:\.\w+(?:\[\])?)+)`")
LIMITS = ("minimum", "maximum", "maxLength", "maxItems")
SELF_EVIDENT = (0, 253, 32)  # no negative count; what Kubernetes allows for a name; enough for any duration
Schema = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A resource, its page and the model that has its defaults."""

    name: str
    spec: type[BaseModel]

    def __str__(self) -> str:
        return self.name

    @property
    def page(self) -> str:
        return (ROOT / "docs" / f"{self.name.lower()}.md").read_text()

    def fields(self, part: str) -> dict[str, Schema]:
        """Every field under `spec` or `status` by its path; `[]` for what a list holds."""
        [crd] = (yaml.safe_load(file.read_text()) for file in (ROOT / "crds").glob(f"*_{self.name.lower()}s.yaml"))
        root = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][part]
        return dict(_fields(part, root))

    @property
    def rows(self) -> dict[str, list[str]]:
        """The cells of every table row that begins with a field's path, by that path."""
        lines = [line for line in self.page.splitlines() if line.startswith("| `")]
        split = [[cell.strip() for cell in CELLS.split(line)[1:-1]] for line in lines]
        return {found[1]: cells for cells in split if (found := PATH.fullmatch(cells[0]))}


KINDS = [Kind("SegmentActivation", SegmentActivationSpec), Kind("VoyadoConnection", VoyadoConnectionSpec)]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def _fields(path: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    required = schema.get("required", [])
    for name, child in schema.get("properties", {}).items():
        here = f"{path}.{name}"
        yield here, child | {"is_required": name in required}
        inner = child.get("items")
        yield from _fields(f"{here}[]", inner) if inner else _fields(here, child)


def default(model: type[BaseModel], path: list[str]) -> Any:
    """What the model takes for a field that is left out; PydanticUndefined where it must not be."""
    [field] = [one for one in model.model_fields.values() if one.alias == path[0]]
    if len(path) == 1:
        return field.default
    inner = next(one for one in _models(field.annotation))
    return default(inner, path[1:])


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models(part)


@every_kind
@pytest.mark.parametrize("part", ["spec", "status"])
def test_every_field_has_a_row_and_every_row_a_field(kind: Kind, part: str) -> None:
    described = {path for path in kind.rows if path.startswith(part)}
    assert described == set(kind.fields(part))


@every_kind
def test_defaults_are_those_of_the_code(kind: Kind) -> None:
    for path, schema in kind.fields("spec").items():
        said, value = kind.rows[path][1], default(kind.spec, path.split(".")[1:])
        if schema["is_required"]:
            assert said == "required", path
        elif isinstance(value, bool | int | str):
            assert said == f"`{str(value).lower() if isinstance(value, bool) else value}`", path
        else:
            assert value in (None, PydanticUndefined) or isinstance(value, BaseModel)
            assert said != "required", path


@every_kind
def test_limits_and_choices_are_those_of_the_schema(kind: Kind) -> None:
    for path, schema in kind.fields("spec").items():
        said = kind.rows[path][2].replace(",", "")
        for limit in (schema[name] for name in LIMITS if name in schema and schema[name] not in SELF_EVIDENT):
            assert re.search(rf"\b{limit}\b", said), f"{path}: {limit} is not said"
        for choice in schema.get("enum", []):
            assert f"`{choice}`" in said, f"{path}: {choice} is not said"


@pytest.mark.parametrize("page", ["segmentactivation", "voyadoconnection", "label-routes", "first-rollout"])
def test_no_page_names_a_field_that_there_is_not(page: str) -> None:
    known = {re.sub(r"\[\]", "", path) for kind in KINDS for part in ("spec", "status") for path in kind.fields(part)}
    named = {re.sub(r"\[\]", "", path) for path in PATH.findall((ROOT / "docs" / f"{page}.md").read_text())}
    assert named <= known, f"docs/{page}.md names fields that no kind has"
    assert named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(CODE.sub("", page.read_text())):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{link}: there is no such file"
        assert not anchor or anchor in anchors(target.read_text()), f"{link}: there is no such heading"


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    return {re.sub(r"[^\w\- ]", "", found.lower()).replace(" ", "-") for found in HEADING.findall(CODE.sub("", text))}


def test_every_reason_has_its_place_in_the_table_of_states() -> None:
    reasons = {error.reason for error in (*_all_kinds_of(Retry), *_all_kinds_of(Stall))} | {
        "Succeeded",
        "Planned",
        "Suspended",
        "PartiallyApplied",
        "GuardBlocked",
        "Progressing",
    }
    _, _, table = KINDS[0].page.partition("| state | Ready | beside it |")
    said = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]+)\|", table.partition("\n\n")[0], re.MULTILINE))))
    assert said == reasons


def _all_kinds_of(error: type[RunError]) -> Iterator[type[RunError]]:
    for kind in error.__subclasses__():
        yield kind
        yield from _all_kinds_of(kind)
