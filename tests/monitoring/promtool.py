"""The real promtool."""

import subprocess
from pathlib import Path

from tests.tools.build import BIN


def promtool(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / "promtool", *arguments], input=stdin, capture_output=True, text=True)
