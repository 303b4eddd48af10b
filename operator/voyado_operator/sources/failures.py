"""One translation of what warehouses throw: their texts quote the query, and perhaps rows or a password."""

from collections.abc import Iterator
from contextlib import contextmanager

from voyado_operator.domain.errors import RunError, SourceFailed

TIMED_OUT = "the query took longer than spec.audience.sql.timeout"
MEANINGS = {
    "08": "the connection broke",
    "22": "a value cannot be converted",
    "25": "the query writes, and the session is read-only",
    "28": "the warehouse refused the log-in",
    "3D": "there is no such database",
    "42501": "the user may not read a table of the query",
    "42601": "the query has a syntax error",
    "42703": "the query names a column that does not exist",
    "42P01": "the query names a table that does not exist",
    "53": "the warehouse is out of resources",
    "57014": TIMED_OUT,
    "57": "the warehouse is shutting down",
}
"""PostgreSQL's SQLSTATE codes and classes."""

PHRASES = {
    "statement timeout": TIMED_OUT,
    "interrupted": TIMED_OUT,
    "spec.audience.sql.timeout": TIMED_OUT,
    "division by zero": "a value cannot be computed",
    "invalid input syntax": "a value cannot be converted",
    "conversion error": "a value cannot be converted",
    "terminating connection": "the connection broke",
    "server closed the connection": "the connection broke",
    "no such column": "the query names a column that does not exist",
    "no such table": "the query names a table that does not exist",
    "syntax error": "the query has a syntax error",
    "readonly database": "the query writes, and the file is open read-only",
    "not found in from clause": "the query names a column that does not exist",
    "does not exist!": "the query names a table or function that does not exist",
    "file system operations are disabled": "the query reaches for something outside of the file",
}
"""What is said in lower case where there is no code: by SQLite, by DuckDB, and by all in the middle of a stream."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise SourceFailed without the original's text and without it as a cause."""
    try:
        yield
    except RunError:
        raise
    except Exception as error:  # noqa: BLE001 - drivers raise their own trees, OSError and plain Exception
        raise SourceFailed(described(doing, error)) from None


def described(doing: str, error: Exception) -> str:
    """What happened, in our words."""
    state = str(getattr(error, "sqlstate", None) or "")
    said = str(error).lower()
    meaning = MEANINGS.get(state) or MEANINGS.get(state[:2])
    meaning = meaning or next((meaning for phrase, meaning in PHRASES.items() if phrase in said), None)
    kind = type(error).__name__ + (f", SQLSTATE {state}" if state else "")
    return f"the warehouse failed while {doing}: {meaning or 'see its own log'} ({kind})"
