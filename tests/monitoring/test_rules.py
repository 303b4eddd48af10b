"""The rules as promtool reads them, each with its unit test and its page."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.alerts import ALERTS, RULES
from tests.monitoring.promtool import promtool

ROOT = Path(__file__).parents[2]
UNIT_TESTS = Path(__file__).parent / "rules"
PAGES = ROOT / "docs" / "alerts"
EACH = pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)


def test_promtool_finds_nothing_wrong() -> None:
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_mistake_would_be_found(tmp_path: Path) -> None:
    broken = tmp_path / "rules.yaml"
    broken.write_text(RULES.read_text().replace("max by (", "max by by (", 1))
    assert promtool("check", "rules", broken).returncode != 0


@EACH
def test_it_fires_when_it_should_and_clears(alert: dict[str, Any]) -> None:
    tested = promtool("test", "rules", UNIT_TESTS / f"{alert['alert']}.yaml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


@EACH
def test_its_unit_test_has_all_three_cases(alert: dict[str, Any]) -> None:
    cases = [
        case
        for test in yaml.safe_load((UNIT_TESTS / f"{alert['alert']}.yaml").read_text())["tests"]
        for case in test["alert_rule_test"]
    ]
    assert {case["alertname"] for case in cases} == {alert["alert"]}
    fires = [bool(case["exp_alerts"]) for case in cases]
    first = fires.index(True)
    assert False in fires[:first], "not before its time"
    assert False in fires[first:], "nor after the cure"


@EACH
def test_it_has_what_who_is_woken_needs(alert: dict[str, Any]) -> None:
    assert alert["alert"].startswith(("VoyadoActivation", "VoyadoConnection", "VoyadoOperator"))
    assert alert["labels"]["severity"] in {"warning", "critical"}
    assert alert["for"]
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    page = ROOT / alert["annotations"]["runbook_url"]
    assert page.read_text().startswith(f"# {alert['alert']}\n")


@EACH
def test_its_text_names_resources_and_nothing_else(alert: dict[str, Any]) -> None:
    labels = re.findall(r"\$labels\.(\w+)", " ".join(alert["annotations"].values()))
    assert set(labels) <= {"namespace", "activation", "connection", "job"}


@EACH
def test_the_index_has_its_page_its_severity_and_its_wait(alert: dict[str, Any]) -> None:
    name, wait = alert["alert"], re.sub(r"(\d+)([mh])", r"\1 \2", alert["for"]).replace("m", "min")
    [row] = [line for line in (PAGES / "README.md").read_text().splitlines() if f"[{name}]({name}.md)" in line]
    assert [cell.strip() for cell in row.split("|")][2::2] == [alert["labels"]["severity"], wait]


def test_there_is_no_page_and_no_unit_test_too_many() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {*ALERTS, "README"}
    assert {path.stem for path in UNIT_TESTS.glob("*.yaml")} == set(ALERTS)
