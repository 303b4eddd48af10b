"""Which contact an e-mail address was matched to, remembered under the address's keyed hash, never the address."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from arro3.core import Array, DataType, Table
from deltalake import Field, Schema
from deltalake.schema import PrimitiveType

from voyado_operator.ledger import moment
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.reconcile.ports import ArrowStream

STALE = timedelta(days=30)
"""How long after its expiry a match may still serve while its address waits for a look-up."""

_SCHEMA = Schema(
    [
        Field("seq", PrimitiveType("long"), nullable=False),
        Field("address_hash", PrimitiveType("string"), nullable=False),
        Field("status", PrimitiveType("string"), nullable=False),
        Field("contact_id", PrimitiveType("string")),
        Field("expires_at", PrimitiveType("timestamp"), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What Engage said of one address, and until when that is believed without asking again.

    `status` is matched, unmatched, invalid or ambiguous; an ambiguous address has several contacts, a matched one one.
    """

    address_hash: str
    status: str
    contact_ids: tuple[str, ...]
    expires_at: datetime


class Identities:
    """The remembered matches of one tenant and contact type. Every method raises LedgerUnavailable."""

    def __init__(self, log: ChangeLog) -> None:
        self._log = log

    @classmethod
    def open(cls, url: str) -> "Identities":
        """Open the table at `url`, created if absent."""
        return cls(ChangeLog.open(url, "address_hash", _SCHEMA))

    def remembered(self) -> ArrowStream:
        """The latest answer per address: address_hash, status, contact_id (null: none), expires_at (UTC).

        An ambiguous address has a row per contact. Expired answers are included.
        """
        return self._log.query(self._log.folded())

    def remember(self, answers: Iterable[Remembered], now: datetime) -> None:
        """Record answers in one commit; the latest of an address replaces its earlier ones."""
        latest = {answer.address_hash: answer for answer in answers}
        pairs = [(answer, contact) for answer in latest.values() for contact in answer.contact_ids or (None,)]
        if not pairs:
            return
        self._log.append(_rows(self._log.next_seq, pairs), len(pairs))
        if self._log.has_grown():
            self._log.rebase(alive=f"expires_at >= {moment.sql(now - STALE)}", history="false")


def _rows(seq: int, pairs: list[tuple[Remembered, str | None]]) -> Table:
    text = DataType.utf8()
    return Table.from_pydict(
        {
            "seq": Array([seq] * len(pairs), type=DataType.int64()),
            "address_hash": Array([answer.address_hash for answer, _ in pairs], type=text),
            "status": Array([answer.status for answer, _ in pairs], type=text),
            "contact_id": Array([contact for _, contact in pairs], type=text),
            "expires_at": moment.column([answer.expires_at for answer, _ in pairs]),
        }
    )
