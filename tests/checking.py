"""`voyado-operator check` on a text."""

import datetime as dt

from voyado_operator.cli.check.command import examined
from voyado_operator.cli.check.findings import Finding
from voyado_operator.cli.check.manifests import Found
from voyado_operator.cli.check.resources import judged

TODAY = dt.date(2026, 11, 26)


def findings(*texts: str) -> list[Finding]:
    """Of files `1.yaml`, `2.yaml` …"""
    return examined(_found(*texts), TODAY)


def refusals(text: str) -> list[Finding]:
    """What it says in the API server's place: not what only it can see."""
    found = _found(text)
    return [*found.findings, *(one for manifest in found.manifests if manifest.is_ours for one in judged(manifest))]


def _found(*texts: str) -> Found:
    found = Found()
    for number, text in enumerate(texts, start=1):
        found.take(f"{number}.yaml", text)
    return found
