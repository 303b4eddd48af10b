"""The CRDs' own CEL rules, evaluated here as the API server evaluates them."""

from collections.abc import Iterator, Set
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

from voyado_operator.cli.check.findings import Path

Schema = dict[str, Any]
Problem = tuple[Path, str]


def violations(value: Any, schema: Schema, path: Path, broken: Set[Path]) -> Iterator[Problem]:
    """What the rules of the schema and of everything below it say against `value`.

    `broken` are the paths whose structure is wrong already: a rule that would look at one of them has no answer.
    """
    if not any(one[: len(path)] == path for one in broken):
        for rule in schema.get("x-kubernetes-validations", ()):
            if "oldSelf" not in rule["rule"] and not _holds(rule["rule"], value):
                yield (*path, *rule.get("fieldPath", "").split(".")[1:]), rule["message"]
    if isinstance(value, dict):
        for name, item in value.items():
            if name in schema.get("properties", ()):
                yield from violations(item, schema["properties"][name], (*path, name), broken)
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from violations(item, schema["items"], (*path, index), broken)


def _holds(rule: str, value: Any) -> bool:
    context = _engine().Context({"self": value}, {"replace": _replace})
    return _compiled(rule).execute(context) is True


@cache
def _compiled(rule: str) -> Any:
    return _engine().compile(rule)


@cache
def _engine() -> ModuleType:
    """`import cel` also brings a console with colours, for a third of a second; the engine takes milliseconds."""
    package = find_spec("cel")
    found = PathFinder.find_spec("cel.cel", package.submodule_search_locations if package else None)
    if found is None or found.loader is None:
        raise ImportError("the package common-expression-language is not installed as it should be")
    engine = module_from_spec(found)
    found.loader.exec_module(engine)
    return engine


def _replace(text: str, old: str, new: str) -> str:
    """Of CEL's string extension, which the API server has and the engine leaves to its callers."""
    return text.replace(old, new)
