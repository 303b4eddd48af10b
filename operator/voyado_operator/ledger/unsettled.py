"""What is neither done nor simply to be tried again: intents whose answer was never learned, and parked rejections."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from arro3.core import Array, DataType, Table
from deltalake import Field, Schema
from deltalake.schema import PrimitiveType

from voyado_operator.domain.arrow import ArrowStream
from voyado_operator.domain.delivery import Operation, Parking
from voyado_operator.ledger import moment
from voyado_operator.ledger.changelog import ChangeLog

ASKED, PARKED, SETTLED = "asked", "parked", "settled"

_SCHEMA = Schema(
    [
        Field("seq", PrimitiveType("long"), nullable=False),
        Field("contact_id", PrimitiveType("string"), nullable=False),
        Field("op", PrimitiveType("string")),
        Field("state", PrimitiveType("string"), nullable=False),
        Field("changed_at", PrimitiveType("timestamp"), nullable=False),
        Field("witness", PrimitiveType("string")),
        Field("attempts", PrimitiveType("long")),
        Field("until", PrimitiveType("timestamp")),
        Field("generation", PrimitiveType("long")),
    ]
)


class Unsettled:
    """The open items beside the ledger, at this URL; a table only once there is one. Raises LedgerUnavailable."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._log = ChangeLog.existing(url, "contact_id")

    def items(self) -> ArrowStream | None:
        """contact_id, op, state (asked or parked), changed_at, witness, attempts, until, generation; None: none."""
        if self._log is None:
            return None
        columns = ", ".join(field.name for field in _SCHEMA.fields if field.name != "seq")
        return self._log.query(f"select {columns} from ({self._log.folded()}) where state <> '{SETTLED}'")

    def ask(self, operation: Operation, witnesses: Mapping[str, str | None], at: datetime) -> None:
        """Record that the contacts are about to be sent; the value is what told then whether they change later."""
        self._append(list(witnesses), ASKED, at, operation, witness=list(witnesses.values()))

    def park(self, operation: Operation, parked: Mapping[str, Parking], generation: int, at: datetime) -> None:
        """Record that Engage refused the contacts, and until when nobody tries again."""
        self._append(
            list(parked),
            PARKED,
            at,
            operation,
            attempts=[parking.attempts for parking in parked.values()],
            until=[parking.until for parking in parked.values()],
            generation=generation,
        )

    def settle(self, contact_ids: Sequence[str], at: datetime) -> None:
        """Record that nothing is open about the contacts any more."""
        self._append(list(contact_ids), SETTLED, at)

    def _append(
        self,
        ids: list[str],
        state: str,
        at: datetime,
        operation: Operation | None = None,
        *,
        witness: list[str | None] | None = None,
        attempts: list[int] | None = None,
        until: list[datetime] | None = None,
        generation: int | None = None,
    ) -> None:
        if not ids:
            return
        log = self._log = self._log or ChangeLog.open(self._url, "contact_id", _SCHEMA)
        text, number, empty = DataType.utf8(), DataType.int64(), [None] * len(ids)
        rows = Table.from_pydict(
            {
                "seq": Array([log.next_seq] * len(ids), type=number),
                "contact_id": Array(ids, type=text),
                "op": Array([operation.value if operation else None] * len(ids), type=text),
                "state": Array([state] * len(ids), type=text),
                "changed_at": moment.column([at] * len(ids)),
                "witness": Array(witness or empty, type=text),
                "attempts": Array(attempts or empty, type=number),
                "until": moment.column(until or empty),
                "generation": Array([generation] * len(ids), type=number),
            }
        )
        log.append(rows, len(ids))
        if log.has_grown():
            log.rebase(alive=f"state <> '{SETTLED}'", history="false")
