"""A value against a structural schema, as the API server would judge it, but told in plain words."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import cache
from typing import Any

from voyado_operator.cli.check.findings import Path

Schema = dict[str, Any]
Problem = tuple[Path, str]
NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
}
TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
    "number": lambda value: _is_number(value),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
WANTED = {
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a mapping",
}


def without_nulls(value: Any) -> Any:
    """The API server leaves out a field that is null, unless its schema allows that; none of ours does."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def problems(value: Any, schema: Schema, path: Path) -> Iterator[Problem]:
    """What is wrong with `value`, the outermost first; what has the wrong type is not looked into."""
    wanted = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        if not (TYPES["integer"](value) or isinstance(value, str)):
            yield path, f"must be a whole number or a string such as 20%, not {_called(value)}"
            return
    elif wanted and not TYPES[wanted](value):
        yield path, f"must be {WANTED[wanted]}, not {_called(value)}{_quoting(value, wanted)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield path, f"must be {_either(schema['enum'])}, not {value!r}{_closest(value, schema['enum'])}"
    if isinstance(value, dict):
        yield from _of_mapping(value, schema, path)
    elif isinstance(value, list):
        yield from _of_list(value, schema, path)
    elif isinstance(value, str):
        yield from _of_string(value, schema, path)
    elif not isinstance(value, bool):
        yield from _of_number(value, schema, path)


def _of_mapping(value: dict[str, Any], schema: Schema, path: Path) -> Iterator[Problem]:
    known = schema.get("properties")
    if known is None:
        return
    for name in schema.get("required", ()):
        if name not in value:
            yield path, f"{name} is missing{_described(known.get(name, {}))}"
    for name, item in value.items():
        if name in known:
            yield from problems(item, known[name], (*path, name))
        else:
            yield (*path, name), f"unknown field{_closest(name, known) or '; it may have ' + ', '.join(known)}"


def _of_list(value: list[Any], schema: Schema, path: Path) -> Iterator[Problem]:
    if len(value) > schema.get("maxItems", len(value)):
        yield path, f"has {len(value)} items; {schema['maxItems']} are the most"
    if len(value) < schema.get("minItems", 0):
        yield path, f"has {len(value)} items; {schema['minItems']} are the fewest"
    for index, item in enumerate(value):
        yield from problems(item, schema.get("items", {}), (*path, index))


def _of_string(value: str, schema: Schema, path: Path) -> Iterator[Problem]:
    if len(value) > schema.get("maxLength", len(value)):
        yield path, f"has {len(value)} characters; {schema['maxLength']} are the most"
    if len(value) < schema.get("minLength", 0):
        yield path, f"has {len(value)} characters; {schema['minLength']} are the fewest"
    if "pattern" in schema and not _pattern(schema["pattern"]).search(value):
        yield path, f"{value!r} does not match {schema['pattern']}{_described(schema)}"
    if schema.get("format") == "date" and not _is_date(value):
        yield path, f"must be a day, e.g. 2027-06-30, not {value!r}"


def _of_number(value: float, schema: Schema, path: Path) -> Iterator[Problem]:
    if value < schema.get("minimum", value):
        yield path, f"is {value}; {schema['minimum']} is the least"
    if value > schema.get("maximum", value):
        yield path, f"is {value}; {schema['maximum']} is the most"


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """Read as Go does: there `$` is the end of the text, here also what stands before a last line break."""
    return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern), re.ASCII)


def _is_date(value: str) -> bool:
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _called(value: Any) -> str:
    return "empty" if value is None else f"{NAMES.get(type(value), 'that')}{_shown(value)}"


def _shown(value: Any) -> str:
    return (
        f" ({str(value).lower() if isinstance(value, bool) else value})" if not isinstance(value, dict | list) else ""
    )


def _quoting(value: Any, wanted: str) -> str:
    if wanted != "string" or value is None or isinstance(value, dict | list):
        return ""
    return (
        "; YAML reads yes, no, on and off so: write it in quotes" if isinstance(value, bool) else "; write it in quotes"
    )


def _either(choices: list[Any]) -> str:
    return " or ".join(part for part in (", ".join(map(str, choices[:-1])), str(choices[-1])) if part)


def _closest(value: Any, known: Any) -> str:
    folded = {str(one).lower(): str(one) for one in known}
    near = get_close_matches(str(value).lower(), folded, n=1, cutoff=0.7)
    return f"; did you mean {folded[near[0]]}?" if near else ""


def _described(schema: Schema) -> str:
    return f" ({schema['description'].rstrip('.')})" if schema.get("description") else ""
