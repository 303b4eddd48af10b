"""YAML as kubectl reads it, with the line of every field.

kubectl's reader is of YAML 1.1, as PyYAML is, but knows neither dates nor numbers in base 60: `2027-06-30` is a string.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from voyado_operator.cli.check.findings import Path, dotted

MOST_NODES = 100_000  # of one document; aliases of aliases can make a few lines explode
SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
PREFIX = "tag:yaml.org,2002:"


class InvalidYaml(Exception):  # noqa: N818 - says what is wrong, not that it is an error
    """Text that is no YAML, or that kubectl would refuse as such."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # libyaml is ten times as fast
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way


SCALARS = {
    "null": (r"~|null|Null|NULL|", "~nN"),
    "bool": (r"[yYnN]|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"),
    "int": (r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|0|[1-9][0-9_]*)", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "merge": (r"<<", "<"),
}
for _name, (_pattern, _first) in SCALARS.items():
    _letters: list[Any] = [*_first, *([""] if _name == "null" else [])]
    _Loader.add_implicit_resolver(PREFIX + _name, re.compile(f"^(?:{_pattern})$"), _letters)
TRUE = {"y", "yes", "true", "on"}


def chunks(text: str) -> Iterator[tuple[int, str]]:
    """The documents of a file, each with the number of lines above it: one that is broken does not hide the next."""
    start = 0
    for found in SEPARATOR.finditer(text):
        yield text.count("\n", 0, start), text[start : found.start()]
        start = found.end()
    yield text.count("\n", 0, start), text[start:]


def verify(text: str, lines_above: int) -> None:
    """Raises InvalidYaml."""
    try:
        for _ in yaml.parse(text, Loader=_Loader):
            pass
    except yaml.YAMLError as error:
        raise _invalid(error, lines_above) from None


def read(text: str, lines_above: int) -> tuple[Any, dict[Path, int]]:
    """The document's value, and the line of each of its fields. Raises InvalidYaml."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _invalid(error, lines_above) from None
    if node is None:
        return None, {}
    reading = _Reading(lines_above)
    return reading.value(node, ()), reading.lines


class _Reading:
    def __init__(self, lines_above: int) -> None:
        self.lines: dict[Path, int] = {}
        self._above = lines_above
        self._open: set[int] = set()
        self._nodes = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self._nodes += 1
        if id(node) in self._open or self._nodes > MOST_NODES:
            raise InvalidYaml(self._line(node), "its aliases make it endless or very large; write the values out")
        self.lines.setdefault(path, self._line(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, item in node.value:
            if key.tag == f"{PREFIX}merge":
                for one in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                    merged = {**self._merged(one, path), **merged}
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise InvalidYaml(self._line(key), "a mapping stands where a field's name is expected")
            name, where = str(key.value), (*path, str(key.value))
            if name in found:
                first = self.lines[where]
                raise InvalidYaml(self._line(key), f"{dotted(where)} is written twice, first in line {first}")
            self.lines[where] = self._line(key)
            found[name] = self.value(item, where)
        return {**merged, **found}

    def _merged(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        value = self.value(node, path)
        if not isinstance(value, dict):
            raise InvalidYaml(self._line(node), "<< merges a mapping, and this is none")
        return value

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text = node.value
        try:
            match node.tag.removeprefix(PREFIX):
                case "null":
                    return None
                case "bool":
                    return text.lower() in TRUE
                case "int":
                    plain = text.replace("_", "")
                    return int(plain, 8) if re.fullmatch(r"[-+]?0[0-7]+", plain) else int(plain, 0)
                case "float":
                    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            raise InvalidYaml(self._line(node), f"{text!r} is not what its tag says") from None
        return text

    def _line(self, node: yaml.Node) -> int:
        return int(node.start_mark.line) + 1 + self._above


def _invalid(error: yaml.YAMLError, lines_above: int) -> InvalidYaml:
    mark = getattr(error, "problem_mark", None)
    line = (mark.line if mark else 0) + 1 + lines_above
    said = " ".join(part for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part)
    return InvalidYaml(line, f"no valid YAML: {said or error}")
