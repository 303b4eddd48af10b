"""docs/cli.md says what the programs do."""

import re
from pathlib import Path

import typer.main
from voyado_operator.cli import exit_codes
from voyado_operator.cli.kubectl import cli
from voyado_operator.cli.standing import State

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()


def test_every_exit_code_is_listed():
    _, _, table = PAGE.partition("## Exit codes")
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert listed == {code for name, code in vars(exit_codes).items() if name.isupper() and isinstance(code, int)}


def test_every_command_is_shown():
    commands = set(typer.main.get_command(cli).commands)
    assert commands == set(re.findall(r"^\$ kubectl voyado ([\w-]+)", PAGE, re.MULTILINE))


def test_every_state_is_explained():
    _, _, table = PAGE.partition("| state |")
    listed = {word for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE) for word in row.split("; ")}
    assert {state.value for state in State} <= listed
