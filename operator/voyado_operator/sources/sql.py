"""From a warehouse's URI to the source that reads it; the scheme decides."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.reconcile.ports import Source
from voyado_operator.sources.duckdb_file import DuckDBFile
from voyado_operator.sources.policy import SourcePolicy
from voyado_operator.sources.postgresql import PostgreSQL
from voyado_operator.sources.sqlite import SQLite

URI_FIELD = "spec.audience.sql.uriSecretRef"


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT statement and how long it may take."""

    text: str
    timeout: timedelta


def sql_source(uri: str, query: Query, policy: SourcePolicy) -> Source:
    """Raises InvalidSpec, which never quotes the URI: it holds a password."""
    scheme = uri.partition(":")[0].lower()
    build = SCHEMES.get(scheme)
    if build is None:
        raise InvalidSpec(
            f"{URI_FIELD}: this version reads {', '.join(f'{known}:' for known in SCHEMES)}; the Secret's value begins "
            "with none of them"
        )
    # A statement is wrapped by some drivers, so neither a semicolon nor a comment may end it.
    return build(uri, f"{query.text.strip().rstrip(';')}\n", query.timeout, policy)


def _postgresql(uri: str, statement: str, timeout: timedelta, policy: SourcePolicy) -> Source:
    return PostgreSQL.at(uri, statement, timeout, policy)


def _sqlite(uri: str, statement: str, timeout: timedelta, policy: SourcePolicy) -> Source:
    return SQLite(policy.checked_file(_path(uri)), statement, timeout)


def _duckdb(uri: str, statement: str, timeout: timedelta, policy: SourcePolicy) -> Source:
    return DuckDBFile(policy.checked_file(_path(uri)), statement, timeout)


SCHEMES: dict[str, Callable[[str, str, timedelta, SourcePolicy], Source]] = {
    "postgresql": _postgresql,
    "postgres": _postgresql,
    "sqlite": _sqlite,
    "duckdb": _duckdb,
}


def _path(uri: str) -> str:
    """The absolute path of `sqlite:/path` or `sqlite:///path`, which takes no parameters."""
    path = uri.partition(":")[2].removeprefix("//")
    if not path.startswith("/") or "?" in path:
        raise InvalidSpec(f"{URI_FIELD}: write an absolute path and nothing else, e.g. duckdb:/data/crm.duckdb")
    return path
