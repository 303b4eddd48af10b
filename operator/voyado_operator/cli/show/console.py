"""Where output goes: colours on a terminal only, and never with NO_COLOR (which rich obeys)."""

import json
import os
import sys

from rich.console import Console, RenderableType

WIDE = 200  # columns, where nobody's terminal wraps: a pipe or a file


def console() -> Console:
    return _console(is_terminal=sys.stdout.isatty(), stderr=False)


def error_console() -> Console:
    """For progress and questions, so that what is piped on holds results only."""
    return _console(is_terminal=sys.stderr.isatty(), stderr=True)


def show(*parts: RenderableType) -> None:
    """On standard output, without the spaces that tables end their lines with."""
    out = console()
    with out.capture() as captured:
        out.print(*parts, sep="\n")
    sys.stdout.write("\n".join(line.rstrip() for line in captured.get().split("\n")))


def print_json(value: object) -> None:
    sys.stdout.write(f"{json.dumps(value, indent=2)}\n")


def _console(*, is_terminal: bool, stderr: bool) -> Console:
    width = None if is_terminal or "COLUMNS" in os.environ else WIDE
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)
