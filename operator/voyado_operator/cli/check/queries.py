"""Whether a query plainly does not return the columns that its activation names."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Self

from voyado_operator.cli.check.findings import Finding, Path
from voyado_operator.cli.check.manifests import Manifest

Parse = Callable[[str], Any]
AUDIENCE: Path = ("spec", "audience")
PLAIN = re.compile(r"\s*select\s+(?:distinct\s+)?([\w.,\s]+?)\sfrom\s", re.IGNORECASE)
"""A select list of bare columns, which needs no parser."""


def missing_columns(manifest: Manifest, parse: Parse) -> Iterator[Finding]:
    """`parse` gives DuckDB's tree of a query. Silent wherever the names cannot be known for sure."""
    audience = manifest.spec["audience"]
    query = audience.get("sql", {}).get("query")
    wanted: dict[Path, str] = {("identifiers", key): name for key, name in (audience.get("identifiers") or {}).items()}
    if "decidedAt" in audience:
        wanted[("decidedAt",)] = audience["decidedAt"]
    if query is None or _has_all(_plain(query), wanted.values()):
        return
    returned = _returned(parse(query))
    for path, name in wanted.items():
        if returned is not None and not _has_all(returned, [name]):
            yield manifest.error(
                (*AUDIENCE, *path),
                f"the query returns no column {name}, only {', '.join(returned)}; name one of them, or select it: "
                f"… AS {name}",
            )


class DuckDBParser:
    """What DuckDB's parser makes of a query, which is PostgreSQL's grown; an error is part of the tree.

    It is started by the first query that is not plain, which takes 0.2 s, and serves all.
    """

    def __init__(self) -> None:
        self._open = ExitStack()
        self._connection: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def __call__(self, query: str) -> Any:
        if self._connection is None:
            from voyado_operator.workspace.engine import engine

            self._connection = self._open.enter_context(engine("64MB"))
        statement = query.strip().rstrip(";")
        return json.loads(self._connection.execute("select json_serialize_sql(?::varchar)", [statement]).fetchone()[0])


def _has_all(returned: list[str] | None, names: Any) -> bool:
    folded = {name.lower() for name in returned or ()}  # warehouses change the case of names
    return all(name.lower() in folded for name in names)


def _plain(query: str) -> list[str] | None:
    found = PLAIN.match(query)
    items = [item.split() for item in found.group(1).split(",")] if found else []
    return [item[-1].rpartition(".")[2] for item in items if item] or None


def _returned(tree: Any) -> list[str] | None:
    statements = (tree or {}).get("statements", [])
    return _of_node(statements[0]["node"]) if len(statements) == 1 else None


def _of_node(node: dict[str, Any]) -> list[str] | None:
    """The first part of a union names the columns."""
    if "select_list" in node:
        names = [_name(item) for item in node["select_list"]]
        return None if None in names else [name for name in names if name is not None]
    inner = node.get("left") or node.get("child") or next(iter(node.get("children", ())), None)
    return _of_node(inner) if inner else None


def _name(item: dict[str, Any]) -> str | None:
    """None for a star, and for an expression without an alias: each database calls it something else."""
    if item.get("alias"):
        return str(item["alias"])
    return str(item["column_names"][-1]) if item.get("class") == "COLUMN_REF" else None
