"""Which contact an e-mail address was matched to, remembered under the address's keyed hash, never the address."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import stamina
from arro3.core import Array, DataType, Table
from deltalake import Field, Schema
from deltalake.schema import PrimitiveType

from voyado_operator.arrow import ArrowStream
from voyado_operator.domain.matching import Match
from voyado_operator.ledger import moment
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.ledger.failures import Overtaken
from voyado_operator.ledger.locks import shared

STALE = timedelta(days=30)
"""How long after its expiry a match may still serve while its address waits for a look-up."""

ATTEMPTS = 10  # so many activations of one tenant may write at once

Answer = tuple[Match, datetime, str | None]

_SCHEMA = Schema(
    [
        Field("seq", PrimitiveType("long"), nullable=False),
        Field("address_hash", PrimitiveType("string"), nullable=False),
        Field("status", PrimitiveType("string"), nullable=False),
        Field("contact_id", PrimitiveType("string")),
        Field("expires_at", PrimitiveType("timestamp"), nullable=False),
    ]
)


class Identities:
    """The remembered matches of one tenant and contact type, in the table at this URL, created if absent.

    Every method raises LedgerUnavailable.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._log: ChangeLog | None = None

    @contextmanager
    def remembered(self) -> Iterator[ArrowStream]:
        """The latest answer per address: address_hash, status, contact_id (null: none), expires_at (UTC).

        An ambiguous address has a row per contact. Expired answers are included. Nothing is erased meanwhile.
        """
        with shared(self._url):
            self._log = self._opened()
            yield self._log.present("*")

    def remember(self, answers: Iterable[tuple[Match, datetime]], now: datetime) -> None:
        """Record answers, and until when each is believed, in one commit; they replace earlier ones of the address."""
        latest = {match.address_hash: (match, until) for match, until in answers}
        pairs = [
            (match, until, contact) for match, until in latest.values() for contact in match.contact_ids or (None,)
        ]
        if not pairs:
            return
        for attempt in stamina.retry_context(on=Overtaken, attempts=ATTEMPTS, wait_max=1):
            with attempt:
                self._record(pairs, now)

    def _record(self, pairs: list[Answer], now: datetime) -> None:
        """Activations of one tenant share the table; unlike a ledger it has many writers, and any order will do."""
        with shared(self._url):
            log = self._log = self._log or self._opened()
            try:
                log.append(_rows(log.next_seq, pairs))
                if log.has_grown():
                    log.rebase(alive=f"expires_at >= {moment.sql(now - STALE)}", history="false")
            except Overtaken:
                self._log = None
                raise

    def _opened(self) -> ChangeLog:
        return ChangeLog.open(self._url, "address_hash", _SCHEMA)


def _rows(seq: int, pairs: list[Answer]) -> Table:
    text = DataType.utf8()
    return Table.from_pydict(
        {
            "seq": Array([seq] * len(pairs), type=DataType.int64()),
            "address_hash": Array([match.address_hash for match, _, _ in pairs], type=text),
            "status": Array([match.status.value for match, _, _ in pairs], type=text),
            "contact_id": Array([contact for _, _, contact in pairs], type=text),
            "expires_at": moment.column([until for _, until, _ in pairs]),
        }
    )
