"""The dashboards' JSON is what the code gives, and can be laid out and read."""

import json
import re
from itertools import combinations
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from voyado_operator.telemetry.metrics import Metrics

from helm.dashboards.__main__ import FOLDER
from helm.dashboards.all import dashboards
from tests.monitoring.grafana import BOARDS

PANELS = [(name, panel) for name, board in BOARDS.items() for panel in board["panels"] if panel["type"] != "row"]
NAMED = pytest.mark.parametrize("panel", [panel for _, panel in PANELS], ids=[f"{b}-{p['title']}" for b, p in PANELS])


def test_the_committed_files_are_what_the_generator_gives() -> None:
    assert {path.name: path.read_text() for path in FOLDER.glob("*.json")} == dashboards()


@pytest.mark.parametrize("name", BOARDS)
def test_panels_lie_on_the_grid_and_upon_no_other(name: str) -> None:
    places = {panel["title"]: panel["gridPos"] for panel in BOARDS[name]["panels"]}
    assert len(places) == len(BOARDS[name]["panels"])
    for title, place in places.items():
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24, title
    for (one, a), (other, b) in combinations(places.items(), 2):
        is_apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        is_below = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert is_apart or is_below, f"{one} lies upon {other}"


@pytest.mark.parametrize("name", BOARDS)
def test_panels_and_their_queries_can_be_told_apart(name: str) -> None:
    panels = BOARDS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        letters = [target["refId"] for target in panel.get("targets", [])]
        assert len(set(letters)) == len(letters), panel["title"]


@NAMED
def test_a_panel_says_what_it_shows_in_which_unit(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    defaults = panel["fieldConfig"]["defaults"]
    is_a_word = panel["type"] == "state-timeline" or panel.get("options", {}).get("textMode") == "name"
    assert defaults.get("unit") or is_a_word or panel["type"] == "table"
    if panel["type"] == "timeseries":
        assert panel["options"]["legend"]["showLegend"]
        assert all(target["legendFormat"] for target in panel["targets"])


@NAMED
def test_a_panel_asks_the_chosen_data_source(panel: dict[str, Any]) -> None:
    assert panel["datasource"]["uid"] == "${datasource}"
    assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


@pytest.mark.parametrize("name", BOARDS)
def test_every_variable_that_is_used_is_there(name: str) -> None:
    board = BOARDS[name]
    variables = {variable["name"] for variable in board["templating"]["list"]}
    used = re.findall(r"\$\{?(\w+)", json.dumps([board["panels"], board["templating"]]))
    assert {one for one in used if not one.startswith("__")} <= variables


@NAMED
def test_a_panel_asks_for_metrics_that_the_operator_has(panel: dict[str, Any]) -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    known = set(re.findall(r"^# HELP (\w+) ", generate_latest(registry).decode(), re.MULTILINE))
    for target in panel["targets"]:
        used = re.findall(r"voyado_\w+", target["expr"])
        assert used
        assert {re.sub(r"_(bucket|sum|count)$", "", one) for one in used} <= known


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_leads_to_the_others(name: str) -> None:
    [link] = BOARDS[name]["links"]
    assert link["type"] == "dashboards"
    assert link["keepTime"]
    chosen_at_once = {one["name"]: one.get("multi", False) for one in BOARDS[name]["templating"]["list"]}
    assert link["includeVars"] is not chosen_at_once["namespace"], "all namespaces are no choice for one activation"
    assert all(set(link["tags"]) <= set(other["tags"]) for other in BOARDS.values())


def test_a_click_in_the_fleet_leads_to_the_activation_or_connection() -> None:
    addresses = set(re.findall(r'"(/d/[^"]+)"', json.dumps(BOARDS["fleet.json"])))
    boards = {f"/d/{board['uid']}": board for board in BOARDS.values()}
    assert {address.partition("?")[0] for address in addresses} == {"/d/voyado-activation", "/d/voyado-connection"}
    for address in addresses:
        board = boards[address.partition("?")[0]]
        given = set(re.findall(r"var-(\w+)=", address)) | {"datasource"}
        assert given == {variable["name"] for variable in board["templating"]["list"]}
