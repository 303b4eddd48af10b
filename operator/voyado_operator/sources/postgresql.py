"""A query in PostgreSQL, streamed through ADBC in a session that cannot write."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from adbc_driver_manager import dbapi as manager
from adbc_driver_postgresql import dbapi

from voyado_operator.arrow import ArrowStream
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.sources.failures import translated
from voyado_operator.sources.policy import SourcePolicy

CONNECT_SECONDS = 10
# Others could name another host, or files of the operator's own (service, passfile, sslkey, sslrootcert).
PARAMETERS = {"application_name", "channel_binding", "connect_timeout", "sslmode", "target_session_attrs"}
# 10 M rows of two columns: 114 MiB instead of 164 (storage-facts.md).
BATCH_BYTES = {"adbc.postgresql.batch_size_hint_bytes": str(4 * 2**20)}


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """`uri` holds the password."""

    uri: str = field(repr=False)
    statement: str = field(repr=False)

    @classmethod
    def at(cls, uri: str, statement: str, timeout: timedelta, policy: SourcePolicy) -> "PostgreSQL":
        """Raises InvalidSpec for a URI that is malformed or names what it may not."""
        return cls(_guarded(uri, timeout, policy), statement)

    @contextmanager
    def read(self) -> Iterator[ArrowStream]:
        with translated("connecting"):
            connection = dbapi.connect(self.uri)
        with connection, connection.cursor(adbc_stmt_kwargs=BATCH_BYTES) as cursor:
            stream = _opened(cursor, self.statement)
            with translated("returning rows"):
                yield stream


def _opened(cursor: manager.Cursor, statement: str) -> Any:
    with translated("running the query"):
        cursor.execute(statement)
        return cursor.fetch_arrow()


def _guarded(uri: str, timeout: timedelta, policy: SourcePolicy) -> str:
    """The URI with a read-only session, a time-out, and nothing that leads elsewhere."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise _malformed("it cannot be parsed") from None
    user_info, _, place = parts.netloc.rpartition("@")
    if "@" in user_info:
        # The driver would take what follows the first @ for the host, and quote it in its errors.
        raise _malformed("its user name or password holds an '@', which must be written %40")
    if not host or "," in place or "%" in place:  # libpq decodes a percent sign after we have looked at the host
        raise _malformed("it must name one host, without percent-encoding")
    if parameters.keys() - PARAMETERS:  # which may be a piece of a password that has a question mark
        raise _malformed(f"only these parameters are allowed: {', '.join(sorted(PARAMETERS))}")
    policy.check_host(host)
    milliseconds = int(timeout.total_seconds() * 1000)
    session = f"-c default_transaction_read_only=on -c statement_timeout={milliseconds}"
    query = urlencode({"connect_timeout": CONNECT_SECONDS, **parameters, "options": session}, quote_via=quote)
    return urlunsplit(("postgresql", parts.netloc, parts.path, query, ""))


def _malformed(what: str) -> InvalidSpec:
    return InvalidSpec(
        f"spec.audience.sql.uriSecretRef: {what}; write postgresql://user:password@host:5432/database, with special "
        "characters percent-encoded"
    )
