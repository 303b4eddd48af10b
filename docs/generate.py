"""Writes docs/metrics.md from what the operator exports and from the rules and dashboards that ask for it."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from voyado_operator.domain.delivery import Operation, Result
from voyado_operator.reconcile.findings import Outcome
from voyado_operator.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[1]
CHART = ROOT / "helm" / "voyado-operator" / "files"
PAGE = ROOT / "docs" / "metrics.md"
SERIES = {
    "counter": ["{}_total"],
    "gauge": ["{}"],
    "summary": ["{}_sum", "{}_count"],
    "histogram": ["{}_bucket", "{}_sum", "{}_count"],
}
NOTHING = "\N{EN DASH}"
SECTIONS = {
    "Activations": (("voyado_activation_",), "One SegmentActivation each; the series go when it goes."),
    "Connections": (
        ("voyado_connection_", "voyado_engage_"),
        "One VoyadoConnection each, for all of its activations; the series go when it goes.",
    ),
    "The operator": (("voyado_operator_",), "The process itself."),
}
HEAD = """\
# Metrics

Prometheus text format under `/metrics` on `METRICS_PORT` ([settings](settings.md)). Written by
`python -m docs.generate` from the operator's own registry, the [alert rules](alerts/README.md) and the chart's
dashboards; do not edit.

Durations are in seconds, points in time in Unix seconds. No label and no value is an address or a contactId. A counter
begins at 0 when the operator starts; what the status knows (members, last success, next run, blocked, ready) is there
again at once after a restart.
"""


class Listing(CollectorRegistry):
    """A registry that remembers what was registered, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics: list[MetricWrapperBase] = []

    def register(self, collector: Collector) -> None:
        if isinstance(collector, MetricWrapperBase):
            self.metrics.append(collector)
        super().register(collector)


def page() -> str:
    """The whole of docs/metrics.md."""
    listing = Listing()
    Metrics(listing)
    sections = (_section(title, text, *_of(listing, prefixes)) for title, (prefixes, text) in SECTIONS.items())
    return "\n".join([HEAD, _labels(), *sections])


def _of(listing: Listing, prefixes: tuple[str, ...]) -> Iterator[str]:
    return (_row(metric) for metric in listing.metrics if _family(metric).name.startswith(prefixes))


def _family(metric: MetricWrapperBase) -> Metric:
    [family] = metric.describe()
    return family


def _section(title: str, text: str, *rows: str) -> str:
    head = ["| metric | type | labels | meaning | asked for by |", "|---|---|---|---|---|"]
    return "\n".join([f"## {title}", "", text, "", *head, *rows, ""])


def _row(metric: MetricWrapperBase) -> str:
    family = _family(metric)
    series = [pattern.format(family.name) for pattern in SERIES[family.type]]
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001 - no other way to ask
    name = f"`{series[0]}`" if len(series) == 1 else f"`{family.name}` (`{'`, `'.join(_ends(family.name, series))}`)"
    users = "; ".join([*_alerts(series), *_panels(series)])
    return f"| {name} | {family.type} | {labels or NOTHING} | {family.documentation} | {users or NOTHING} |"


def _ends(name: str, series: Sequence[str]) -> list[str]:
    return [one.removeprefix(name) for one in series]


def _alerts(series: Sequence[str]) -> Iterator[str]:
    groups = yaml.safe_load((CHART / "rules.yaml").read_text())["groups"]
    for rule in (rule for group in groups for rule in group["rules"]):
        if _asks_for(series, rule["expr"]):
            yield f"[{rule['alert']}](alerts/{rule['alert']}.md)"


def _panels(series: Sequence[str]) -> Iterator[str]:
    for file in sorted((CHART / "dashboards").glob("*.json")):
        board = json.loads(file.read_text())
        titles = [
            panel["title"]
            for panel in board["panels"]
            if any(_asks_for(series, target["expr"]) for target in panel.get("targets", []))
        ]
        if titles:
            yield f"*{board['title']}*: {', '.join(titles)}"


def _asks_for(series: Sequence[str], expression: str) -> bool:
    return bool(set(series) & set(re.findall(r"\w+", expression)))


def _labels() -> str:
    rows = {
        "`namespace`, `activation`": "of the SegmentActivation",
        "`namespace`, `connection`": "of the VoyadoConnection",
        "`outcome`": _either(Outcome),
        "`operation` of a change": _either(Operation),
        "`result`": f"{_either(Result)}; *unknown* is never success",
        "`reason`": "of the Ready condition, see the [runbook](runbook.md)",
        "`phase`": "of a run, as in `status.progress`, in lower case",
        "`operation` of a request": "what it is for, in words, such as `find contact` or `update contacts in bulk`",
        "`code`": "the HTTP status of the answer; without one the kind of error, or `cancelled`",
    }
    return "\n".join(["| label | values |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows.items()), ""])


def _either(values: type[Outcome | Operation | Result]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def main() -> None:
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
