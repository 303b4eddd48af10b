"""Where output goes: colours on a terminal only, and never with NO_COLOR (which rich obeys)."""

import json
import os
import sys
from collections.abc import Sequence

from rich.console import Console, RenderableType

WIDE = 200  # columns, where nobody's terminal wraps: a pipe or a file


def console() -> Console:
    return _console(is_terminal=sys.stdout.isatty(), stderr=False)


def error_console() -> Console:
    """For progress and questions, so that what is piped on holds results only."""
    return _console(is_terminal=sys.stderr.isatty(), stderr=True)


def show(*parts: RenderableType) -> None:
    sys.stdout.write(_printed(console(), parts))


def show_aside(*parts: RenderableType) -> None:
    sys.stderr.write(_printed(error_console(), parts))


def _printed(out: Console, parts: Sequence[RenderableType]) -> str:
    """Without the spaces that tables end their lines with."""
    with out.capture() as captured:
        out.print(*parts, sep="\n")
    return "\n".join(line.rstrip() for line in captured.get().split("\n"))


def print_json(value: object) -> None:
    sys.stdout.write(f"{json.dumps(value, indent=2)}\n")


def _console(*, is_terminal: bool, stderr: bool) -> Console:
    width = None if is_terminal or "COLUMNS" in os.environ else WIDE
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)
