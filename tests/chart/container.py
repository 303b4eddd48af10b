"""The Containerfile without a container engine: its build steps in a chroot, and a process in a read-only root.

Needs root and Linux; what an engine would take from the base image is bind-mounted from this machine.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
CONTAINERFILE = REPOSITORY / "Containerfile"
PYTHON = Path(sys.base_prefix)
INSTALLED = Path("opt/voyado-operator")
LIBRARIES = ("/usr/lib", "/usr/lib64", "/etc", "/proc", "/dev", str(PYTHON))
TOOLS = ("/usr", "/etc", "/proc", "/dev", str(PYTHON))
SOURCES, HOME = "/src", "/home"
LAYERS = REPOSITORY / ".cache" / "image"
Step = tuple[str, str]
MERGED = ("bin", "sbin", "lib", "lib64")  # links into /usr on every present Debian


def build(root: Path) -> None:
    """Carry out the stage `build` of the Containerfile within `root`; the layers of the dependencies are kept."""
    dependencies, own = _layers()
    shutil.copytree(_kept(dependencies), root, symlinks=True, copy_function=os.link, dirs_exist_ok=True)
    _carry_out(own, root)


def variables() -> dict[str, str]:
    """What the image sets for its processes."""
    return dict(line.split("=", 1) for keyword, line in _steps(2) if keyword == "ENV")


def _layers() -> tuple[list[Step], list[Step]]:
    """The steps before our own files come in, and the rest."""
    steps = _steps(1)
    ours = next(place for place, (keyword, rest) in enumerate(steps) if keyword == "COPY" and "operator" in rest)
    return steps[:ours], steps[ours:]


def _kept(steps: list[Step]) -> Path:
    """The folder in which these steps were carried out, once for as long as they and the locked files stay."""
    locked = b"".join(path.read_bytes() for path in sorted((REPOSITORY / "requirements").glob("*.txt")))
    layer = LAYERS / hashlib.sha256(repr(steps).encode() + sys.version.encode() + locked).hexdigest()[:12]
    if not layer.exists():
        shutil.rmtree(LAYERS, ignore_errors=True)
        unfinished = layer.with_suffix(".unfinished")
        _links(unfinished)
        _carry_out(steps, unfinished)
        unfinished.rename(layer)
    return layer


def _carry_out(steps: list[Step], root: Path) -> None:
    folder = SOURCES
    (root / folder[1:]).mkdir(parents=True, exist_ok=True)
    arguments = dict(rest.split("=", 1) for keyword, rest in _steps(1) if keyword == "ARG")
    for keyword, rest in steps:
        if keyword == "COPY":
            *sources, target = rest.split()
            for source in sources:
                _copy(REPOSITORY / source, root / folder[1:] / target / (source if target == "./" else ""))
        elif keyword == "RUN":
            tools = {Path(one): one for one in TOOLS}
            environment = os.environ | arguments | {"PATH": f"{PYTHON}/bin:/usr/bin:/usr/sbin", "HOME": HOME}
            shell = ["/usr/bin/sh", "-ec", f"cd {folder}; {rest}"]
            command = enter(root, tools, shell, {_pip_cache(): f"{HOME}/.cache/pip"})
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"RUN {rest}\n{done.stdout}{done.stderr}")


@dataclass(frozen=True)
class Container:
    """A root that has the image's files and the mounts, and nothing else that can be written: no shell either."""

    root: Path
    image: Path
    mounts: Mapping[str, Path]
    """Where in the container, what of this machine."""

    def command(self, *arguments: str) -> list[str]:
        """As uid 65532, without capabilities, whatever is executed."""
        _links(self.root)
        readable = {Path(one): one for one in LIBRARIES} | {self.image / INSTALLED: f"/{INSTALLED}"}
        person = ["--userspec=65532:65532", "--groups="]
        return enter(self.root, readable, list(arguments), {path: where for where, path in self.mounts.items()}, person)


def enter(
    root: Path,
    readable: Mapping[Path, str],
    command: list[str],
    writable: Mapping[Path, str],
    person: list[str] | None = None,
) -> list[str]:
    """The command with `root` as its root, in a mount namespace that ends with it.

    `readable` and `writable` folders of this machine are where they say; with `person` the root is read-only.
    """
    lines = [f"mount --bind {shlex.quote(str(root))} {shlex.quote(str(root))}"]
    for source, where in {**readable, **writable}.items():
        (root / where[1:]).mkdir(parents=True, exist_ok=True)
        target = shlex.quote(f"{root}{where}")
        lines.append(f"mount --rbind {shlex.quote(str(source))} {target}")
        if source in readable:
            lines.append(f"mount -o remount,bind,ro {target}")
    if person is not None:
        lines.append(f"mount -o remount,bind,ro {shlex.quote(str(root))}")
    inside = shlex.join(["setpriv", "--no-new-privs", "chroot", *(person or []), str(root), *command])
    return ["unshare", "--mount", "sh", "-ec", "\n".join([*lines, f"exec {inside}"])]


def _steps(stage: int) -> list[Step]:
    """Of the first or second stage, keyword and rest of each line."""
    text = CONTAINERFILE.read_text().split("\nFROM ")[stage]
    return re.findall(r"^(ARG|COPY|RUN|ENV) (.+)$", text, re.MULTILINE)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _links(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for name in MERGED:
        if not (root / name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")


def _pip_cache() -> Path:
    cache = Path(os.environ.get("PIP_CACHE_DIR", Path.home() / ".cache" / "pip"))
    cache.mkdir(parents=True, exist_ok=True)
    return cache


if __name__ == "__main__":
    if os.geteuid() == 0:
        _kept(_layers()[0])
