"""The command: from paths to findings, printed, and an exit code."""

import datetime as dt
import json
import os
import sys
from collections.abc import Sequence

import typer

from voyado_operator.api.common import Kind
from voyado_operator.cli.check.beyond import overlooked
from voyado_operator.cli.check.findings import Finding, Severity, are_fine, sorted_by_place
from voyado_operator.cli.check.manifests import Found, Manifest, NoSuchFile, collected
from voyado_operator.cli.check.queries import DuckDBParser, Parse, missing_columns
from voyado_operator.cli.check.resources import judged
from voyado_operator.cli.check.together import judged_together
from voyado_operator.cli.output import Output

FINE, FAULTY, USAGE = 0, 1, 2
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def check(paths: Sequence[str], output: Output) -> int:
    """Print what is wrong with the manifests under `paths`; return the exit code."""
    try:
        found = collected(paths)
    except NoSuchFile as error:
        typer.echo(f"voyado-operator check: {error}", err=True)
        return USAGE
    findings = examined(found, dt.datetime.now(dt.UTC).date())
    if output is Output.JSON:
        typer.echo(json.dumps([one.as_json() for one in findings], indent=2))
    else:
        _print(findings, found)
    return FINE if are_fine(findings) else FAULTY


def examined(found: Found, today: dt.date) -> list[Finding]:
    """Everything that is wrong, by file and line; only manifests that are sound by themselves are seen together."""
    findings, sound = list(found.findings), []
    with DuckDBParser() as parse:
        for manifest in found.manifests:
            if not manifest.is_ours:
                continue
            problems = list(judged(manifest))
            findings += problems
            if not problems:
                sound.append(manifest)
                findings += _overlooked(manifest, today, parse)
    return sorted_by_place([*findings, *judged_together(found.manifests, sound)])


def _overlooked(manifest: Manifest, today: dt.date, parse: Parse) -> list[Finding]:
    if manifest.kind != Kind.ACTIVATION:
        return []
    return [*overlooked(manifest, today), *missing_columns(manifest, parse)]


def _print(findings: Sequence[Finding], found: Found) -> None:
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for one in findings:
        word = f" {one.severity}: "
        shown = f" {typer.style(str(one.severity), COLOURS[one.severity], bold=True)}: "
        typer.echo(str(one).replace(word, shown, 1) if coloured else str(one))
    ours = sum(one.is_ours for one in found.manifests)
    wrong = [sum(one.severity is severity for one in findings) for severity in Severity]
    counted = ", ".join(_many(number, word) for number, word in zip(wrong, ("error", "warning"), strict=True) if number)
    said = f"{_many(ours, 'manifest')} in {_many(found.files, 'file')}: {counted or 'all is well'}"
    typer.echo(said, err=True)


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
