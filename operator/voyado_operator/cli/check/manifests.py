"""From paths to the manifests in them."""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from voyado_operator.api.common import GROUP
from voyado_operator.cli.check.findings import Finding, Path, Severity, dotted
from voyado_operator.cli.check.schema import without_nulls
from voyado_operator.cli.check.yaml_text import InvalidYaml, chunks, read, verify

Value = dict[str, Any]
STDIN = "-"
INTERESTING = re.compile(rf"{re.escape(GROUP)}|\bSecret\b")
PATCHES = re.compile(r"^kustomization\.ya?ml$|^Kustomization$")


class NoSuchFile(Exception):  # noqa: N818 - says what is wrong, not that it is an error
    """A path that was given and cannot be read."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object; `lines` has the line of each field, and where it begins under ()."""

    file: str
    value: Value
    lines: dict[Path, int] = field(repr=False)

    @property
    def kind(self) -> str:
        return str(self.value.get("kind", ""))

    @property
    def group(self) -> str:
        group, slash, _ = str(self.value.get("apiVersion", "")).partition("/")
        return group if slash else ""

    @property
    def metadata(self) -> Value:
        found = self.value.get("metadata")
        return found if isinstance(found, dict) else {}

    @property
    def name(self) -> str:
        return str(self.metadata.get("name") or self.metadata.get("generateName") or "")

    @property
    def namespace(self) -> str:
        """Empty where the manifest leaves it to whoever applies it."""
        return str(self.metadata.get("namespace") or "")

    @property
    def spec(self) -> Value:
        found = self.value.get("spec")
        return found if isinstance(found, dict) else {}

    @property
    def is_ours(self) -> bool:
        return self.group == GROUP

    def line(self, path: Path) -> int:
        """Of the field, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line(())}"

    def error(self, path: Path, message: str) -> Finding:
        return self._finding(Severity.ERROR, path, message)

    def warning(self, path: Path, message: str) -> Finding:
        return self._finding(Severity.WARNING, path, message)

    def _finding(self, severity: Severity, path: Path, message: str) -> Finding:
        return Finding(self.file, self.line(path), severity, f"{self.kind} {self.name}".strip(), dotted(path), message)


@dataclass(slots=True)
class Found:
    """What the files hold: our kinds and Secrets, how many files there were, and what could not be read."""

    manifests: list[Manifest] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    files: int = 0

    def take(self, file: str, text: str) -> None:
        """The text of one more file."""
        self.files += 1
        for lines_above, chunk in chunks(text):
            try:
                self.manifests.extend(_manifests(file, chunk, lines_above))
            except InvalidYaml as problem:
                self.findings.append(_unreadable(file, chunk, problem))


def collected(paths: Iterable[str]) -> Found:
    """Raises NoSuchFile."""
    found = Found()
    for name, text in _texts(paths, found.findings):
        found.take(name, text)
    return found


def _texts(paths: Iterable[str], findings: list[Finding]) -> Iterator[tuple[str, str]]:
    for given in dict.fromkeys(paths):
        if given == STDIN:
            yield "stdin", sys.stdin.read()
            continue
        try:
            for file in _files(FilePath(given), findings):
                yield str(file), file.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise NoSuchFile(f"{error.filename or given}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise NoSuchFile(f"{given}: holds a file that is not UTF-8 text") from None


def _files(path: FilePath, findings: list[Finding]) -> Iterator[FilePath]:
    """The file itself, or the folder's *.yaml and *.yml, but for what is no manifest before a tool has worked on it."""
    if not path.is_dir():
        yield path
        return
    names = sorted(found for found in path.rglob("*") if found.suffix in (".yaml", ".yml") and found.is_file())
    charts = {file.parent for file in names if file.name in ("Chart.yaml", "Chart.yml")}
    patches = {patch for file in names if PATCHES.match(file.name) for patch in _patches(file)}
    for chart in sorted(charts):
        hint = f"a Helm chart is skipped; check what it renders: helm template {chart} | voyado-operator check -f -"
        findings.append(Finding(str(chart / "Chart.yaml"), 1, Severity.WARNING, "", "", hint))
    for file in names:
        if not any(chart in file.parents for chart in charts) and file.resolve() not in patches:
            yield file


def _patches(file: FilePath) -> Iterator[FilePath]:
    """The files that a kustomization patches with: parts of manifests, not manifests."""
    try:
        value, _ = read(file.read_text(encoding="utf-8-sig"), 0)
    except InvalidYaml:
        return  # told of when the file's turn comes
    listed = value if isinstance(value, dict) else {}
    for key in ("patches", "patchesStrategicMerge", "patchesJson6902"):
        for patch in listed.get(key) or []:
            name = patch.get("path") if isinstance(patch, dict) else patch
            if isinstance(name, str) and "\n" not in name:
                yield (file.parent / name).resolve()


def _manifests(file: str, chunk: str, lines_above: int) -> Iterator[Manifest]:
    if not INTERESTING.search(chunk):
        verify(chunk, lines_above)
        return
    value, lines = read(chunk, lines_above)
    if not isinstance(value, dict):
        return
    items = value.get("items")
    if str(value.get("kind", "")).endswith("List") and isinstance(items, list):
        for index, item in enumerate(items):
            if isinstance(item, dict):
                inner = {path[2:]: line for path, line in lines.items() if path[:2] == ("items", index)}
                yield from _relevant(Manifest(file, item, inner))
        return
    yield from _relevant(Manifest(file, value, lines))


def _relevant(manifest: Manifest) -> Iterator[Manifest]:
    manifest = replace(manifest, value=without_nulls(manifest.value))
    if manifest.is_ours or (manifest.kind, manifest.value.get("apiVersion")) == ("Secret", "v1"):
        yield manifest


def _unreadable(file: str, chunk: str, problem: InvalidYaml) -> Finding:
    if "{{" in chunk:
        hint = "a template is skipped; check what it renders: … | voyado-operator check -f -"
        return Finding(file, problem.line, Severity.WARNING, "", "", hint)
    return Finding(file, problem.line, Severity.ERROR, "", "", str(problem))
