"""What Grafana would ask Prometheus for to show a dashboard, and whether there is something to show."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from helm.dashboards.all import dashboards
from tests.monitoring.prometheus import Prometheus

BOARDS: dict[str, dict[str, Any]] = {name: json.loads(content) for name, content in dashboards().items()}
BUILT_IN = {"__rate_interval": "5s", "__interval": "1s"}  # the second is the step of `Prometheus.lately`
SHOWN_SECONDS = 60


@dataclass(frozen=True)
class Asked:
    """One query of a panel, or of a variable."""

    panel: str
    expr: str
    legend: str
    is_instant: bool

    def lacks(self, prometheus: Prometheus) -> str | None:
        """What is missing: a number, or a label that the legend names."""
        series = prometheus.query(self.expr) if self.is_instant else prometheus.lately(self.expr, SHOWN_SECONDS)
        shown = [one["metric"] for one in series if any(map(_is_number, one.get("values") or [one["value"]]))]
        if not shown:
            return f"{self.panel}: no number for {self.expr}"
        labels = set(re.findall(r"\{\{(\w+)\}\}", self.legend))
        return None if labels <= set(shown[0]) else f"{self.panel}: {self.legend} is not in {shown[0]}"


def queries(variables: Mapping[str, str]) -> Iterator[Asked]:
    """Those of all panels of all dashboards, with the variables' values in place."""
    for name, board in BOARDS.items():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                expr = replaced(target["expr"], variables)
                yield Asked(f"{name} {panel['title']}", expr, target.get("legendFormat", ""), target["instant"])


def choices(variables: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Each variable that has values, as its name, a selector and the label whose values it offers."""
    for board in BOARDS.values():
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                asked = replaced(variable["query"]["query"], variables)
                [(selector, label)] = re.findall(r"^label_values\((.+), (\w+)\)$", asked)
                yield variable["name"], selector, label


def replaced(text: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda found: {**BUILT_IN, **variables}[found[1]], text)


def _is_number(sample: tuple[float, str]) -> bool:
    return math.isfinite(float(sample[1]))
