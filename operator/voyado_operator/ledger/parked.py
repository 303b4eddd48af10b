"""Changes that Engage refused, and until when nobody tries them again."""

from collections.abc import Mapping
from datetime import datetime

from arro3.core import Array, DataType, Table
from deltalake import Field, Schema
from deltalake.schema import PrimitiveType

from voyado_operator.arrow import ArrowStream
from voyado_operator.domain.delivery import Operation, Parking
from voyado_operator.ledger import moment
from voyado_operator.ledger.changelog import ChangeLog

_SCHEMA = Schema(
    [
        Field("seq", PrimitiveType("long"), nullable=False),
        Field("contact_id", PrimitiveType("string"), nullable=False),
        Field("op", PrimitiveType("string"), nullable=False),
        Field("attempts", PrimitiveType("long"), nullable=False),
        Field("until", PrimitiveType("timestamp"), nullable=False),
        Field("generation", PrimitiveType("long"), nullable=False),
    ]
)


class Parked:
    """The table beside a ledger, at this URL; there is one once something was refused. Raises LedgerUnavailable."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._log = ChangeLog.existing(url, "contact_id")

    def items(self) -> ArrowStream | None:
        """contact_id, op (add, remove), attempts, until, generation; None: nothing was ever refused."""
        return None if self._log is None else self._log.present("*")

    def park(self, operation: Operation, parked: Mapping[str, Parking], generation: int, at: datetime) -> None:
        """Record that Engage refused the contacts."""
        log = self._log = self._log or ChangeLog.open(self._url, "contact_id", _SCHEMA)
        number, text, size = DataType.int64(), DataType.utf8(), len(parked)
        rows = Table.from_pydict(
            {
                "seq": Array([log.next_seq] * size, type=number),
                "contact_id": Array(list(parked), type=text),
                "op": Array([operation.value] * size, type=text),
                "attempts": Array([one.attempts for one in parked.values()], type=number),
                "until": moment.column([one.until for one in parked.values()]),
                "generation": Array([generation] * size, type=number),
            }
        )
        log.append(rows)
        if log.has_grown():
            log.rebase(alive=f"until >= {moment.sql(at)}", history="false")
