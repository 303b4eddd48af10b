"""The dashboards' JSON is what the code gives, and can be laid out and read."""

import json
import re
from itertools import combinations
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from voyado_operator.domain.delivery import Operation, Result
from voyado_operator.domain.errors import Retry, RunError, Stall
from voyado_operator.reconcile.findings import Outcome
from voyado_operator.telemetry.metrics import Metrics

from helm.dashboards.__main__ import FOLDER
from helm.dashboards.all import dashboards
from helm.dashboards.colours import CHANGES, OUTCOMES, REASONS, as_text
from tests.monitoring.grafana import BOARDS

ICON, LETTER, PADDING = 24, 7.5, 24
"""Pixels in the head of a panel: the "i", a letter of 14 pixels' height, and what is left free."""
NARROW = 1000

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
    is_a_word = panel["type"] == "state-timeline" or panel.get("options", {}).get("colorMode") == "background"
    assert defaults.get("unit") or is_a_word or panel["type"] == "table"
    if panel["type"] == "timeseries":
        assert panel["options"]["legend"]["showLegend"]
        assert all(target["legendFormat"] for target in panel["targets"])


@NAMED
def test_a_title_is_not_cut_in_a_narrow_window(panel: dict[str, Any]) -> None:
    column = (NARROW - 2 * 16 - 23 * 8) / 24
    width = panel["gridPos"]["w"] * (column + 8) - 8
    assert ICON + PADDING + LETTER * len(panel["title"]) <= width


@NAMED
def test_a_table_of_many_series_does_not_lie_below_its_graph(panel: dict[str, Any]) -> None:
    """There, Grafana gives it a third of the panel at most: the head and two rows of eight, or three of ten."""
    legend = panel.get("options", {}).get("legend", {})
    is_many = any("{{" in target.get("legendFormat", "") for target in panel["targets"]) or len(panel["targets"]) > 2
    if panel["type"] == "timeseries" and is_many:
        assert legend["placement"] == "right" or panel["title"] in ("Requests to Engage", "Versions")


def test_whatever_there_is_a_colour_for_is_in_it() -> None:
    failures = {kind.reason for kind in _kinds(RunError) if kind not in (Retry, Stall)}
    assert failures <= set(REASONS)
    assert set(OUTCOMES) == set(Outcome)
    assert set(CHANGES) == {f"{operation} {result}" for operation in Operation for result in Result}


def test_only_what_is_well_is_green() -> None:
    assert {reason for reason, colour in REASONS.items() if as_text(colour) == "green"} == {"Succeeded"}
    assert {outcome for outcome, colour in OUTCOMES.items() if as_text(colour) == "green"} == {"Succeeded"}
    assert {change for change, colour in CHANGES.items() if as_text(colour) == "green"} == {"add accepted"}
    for one in (REASONS, OUTCOMES, CHANGES):
        assert len(set(one.values())) == len(one), "each its own, or two could not be told apart"


def _kinds(error: type[RunError]) -> set[type[RunError]]:
    return {error, *(below for kind in error.__subclasses__() for below in _kinds(kind))} - {RunError}


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
