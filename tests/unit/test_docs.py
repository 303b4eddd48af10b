"""What the documents say is tested is tested."""

import re
from itertools import product
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from voyado_operator.settings import PREFIX, Settings, from_environment
from voyado_operator.telemetry.metrics import Metrics

from docs import generate
from tests.component.installation import TARGETS
from tests.component.test_every_fault import DAMAGES, FAULTS, KILLED_AT

ROOT = Path(__file__).parents[2]
RELIABILITY = ROOT / "docs" / "reliability.md"


def test_the_matrix_has_every_fault_and_every_target() -> None:
    faults = {"test_engage": FAULTS, "test_killed": KILLED_AT, "test_ledger_lost": [one.__name__ for one in DAMAGES]}
    ids = [f"{test}[{one}-{kind}]" for test, ones in faults.items() for one, kind in product(ones, TARGETS)]
    ids += [f"test_lease_lost[{kind}]" for kind in TARGETS]

    assert sorted(re.findall(r"`(test_\w+\[[^`]+\])`", RELIABILITY.read_text())) == sorted(ids)


@pytest.mark.parametrize("page", [RELIABILITY, ROOT / "SECURITY.md"], ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    rooms = "chart|cluster|component|faults|gitops|monitoring|unit"
    named = re.findall(rf"`((?:{rooms})/[\w/]+\.py)(?:::(\w+))?[^`]*`", page.read_text())
    assert named
    for file, test in named:
        assert f"def {test}" in (ROOT / "tests" / file).read_text(), f"{page.name}: {file}::{test}"


def test_the_page_of_metrics_is_what_the_generator_gives() -> None:
    assert generate.PAGE.read_text() == generate.page(), "run `python -m docs.generate`"


def test_every_metric_is_on_the_page_once() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    exported = re.findall(r"# TYPE (\w+) ", generate_latest(registry).decode())

    assert sorted(re.findall(r"^\| `(voyado_\w+)`", generate.PAGE.read_text(), re.MULTILINE)) == sorted(exported)


def test_an_alert_that_asks_for_no_metric_of_ours_is_on_no_page() -> None:
    """Whoever renames a metric sees it in an alert that is missing here."""
    pages = {page.stem for page in (ROOT / "docs" / "alerts").glob("Voyado*.md")}
    assert set(re.findall(r"alerts/(Voyado\w+)\.md", generate.PAGE.read_text())) == pages


NOT_FROM_THE_ENVIRONMENT = {"namespace", "kubeconfig"}
IN_WORDS = {"namespaces": "all", "source_hosts": "all but loopback and link-local", "file_roots": "none"}


def test_every_setting_is_on_the_page_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    defaults = {name: field.default for name, field in Settings.model_fields.items()}

    assert [name.lower() for name, _ in rows] == [name for name in defaults if name not in NOT_FROM_THE_ENVIRONMENT]
    for variable, said in rows:
        name = variable.lower()
        if name == "memory_limit":
            assert f"`{defaults[name]}`" in said
        elif name in IN_WORDS:
            assert (said, defaults[name]) == (IN_WORDS[name], ())
        else:
            assert from_environment({PREFIX + variable: said.strip("`")}).model_dump()[name] == defaults[name]


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
CODE = ROOT / "operator" / "voyado_operator"


def test_every_place_that_the_architecture_names_is_there() -> None:
    named = set(re.findall(r"`(\w+/(?:\w+\.py)?|\w+\.py)`", ARCHITECTURE))
    assert len(named) > 30
    assert [place for place in named if not any((root / place).exists() for root in (CODE, CODE.parent))] == []


def test_every_room_has_its_row() -> None:
    rooms = {f"{room.parent.name}/" for room in CODE.glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+/)`", ARCHITECTURE, re.MULTILINE)) == rooms


PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(((?!https?:|mailto:)[^)\s]+)\)", page.read_text())
    assert [link for link in links if not leads_somewhere(page, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    """A file or folder; of a page the heading too, where the link names one."""
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("runbook.md", True),
        ("runbook.md#the-ledger-was-lost", True),
        ("runbook.md#the-ledger-was-found", False),
        ("runbooks.md", False),
        ("../crds", True),
    ],
)
def test_a_link_to_nowhere_is_seen(link: str, leads: bool) -> None:
    assert leads_somewhere(ROOT / "docs" / "ledger.md", link) == leads
