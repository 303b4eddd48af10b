"""Bulk updates that Engage may still work on. The table has no contact: whom a batch changes is in the ledger.

A batch of 4,000 contacts is one row here. It names the announcement in the ledger, whose rows share one moment, so
250 batches of a first run are 250 rows beside 2,000,000. The rows go when the batches are over, mostly by the end of
the run.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from arro3.core import Array, DataType, Table
from deltalake import DeltaTable, Field, QueryBuilder, Schema, write_deltalake
from deltalake.schema import PrimitiveType

from voyado_operator.arrow import Batches as ArrowBatches
from voyado_operator.domain.batches import ANNOUNCING, Announced, Batch
from voyado_operator.domain.delivery import ADOPTED, UNANSWERED, Entry, Operation
from voyado_operator.ledger import ids, moment
from voyado_operator.ledger.changelog import SMALL, ChangeLog
from voyado_operator.ledger.damage import intact
from voyado_operator.ledger.failures import unavailable

_SCHEMA = Schema(
    [
        Field("operation", PrimitiveType("string"), nullable=False),
        Field("announced_at", PrimitiveType("timestamp"), nullable=False),
        Field("taken_at", PrimitiveType("timestamp"), nullable=False),
        Field("row_count", PrimitiveType("long"), nullable=False),
        Field("batch_id", PrimitiveType("string")),
        Field("is_over", PrimitiveType("boolean"), nullable=False),
    ]
)
_CONFIGURATION: dict[str, str | None] = {"delta.dataSkippingNumIndexedCols": "0", "delta.checkpointInterval": "50"}


class RememberedBatches:
    """The table beside a ledger, at this URL; it comes with the first bulk update. Raises LedgerUnavailable."""

    def __init__(self, url: str) -> None:
        self._url = url
        with unavailable(url, "open"):
            self._table = intact(url)

    def load(self) -> list[Batch]:
        """Return what is remembered; it takes no look at a file where nothing is."""
        if self._table is None:
            return []
        with unavailable(self._url, "read"):
            if not self._table.file_uris():
                return []
            found = QueryBuilder().register("batches", self._table).execute("select * from batches")
            return [_batch(row) for some in ArrowBatches(found) for row in some.to_struct_array().to_pylist()]

    def add(self, batches: Sequence[Batch]) -> None:
        """Remember these too, in one commit."""
        self._write(batches, "append")

    def keep(self, batches: Sequence[Batch]) -> None:
        """Remember these and no others."""
        self._write(batches, "overwrite")

    def _write(self, batches: Sequence[Batch], mode: Any) -> None:
        with unavailable(self._url, "write"):
            table = self._table = self._table or DeltaTable.create(self._url, _SCHEMA, configuration=_CONFIGURATION)
            write_deltalake(table, _rows(batches), mode=mode, writer_properties=SMALL)


def announced(log: ChangeLog, operation: Operation, at: datetime, is_own: str) -> Announced:
    """Return the contacts that were announced at that moment and have no outcome; `is_own` is SQL for whose rows count.

    A contact that was announced once more before anything became of it has none: only what is recorded right after an
    announcement tells that its batch is over. Rows with the same moment and entry are copies, which a rebase makes.
    """
    told, entries = moment.sql(at), ", ".join(f"'{entry}'" for entry in ANNOUNCING[operation])
    unanswered = ", ".join(f"'{entry}'" for entry in sorted(UNANSWERED))
    is_announcement = f"changed_at = {told} and op in ({entries}) and {is_own}"
    rows = log.rows(
        "with asked as (select contact_id, min(seq) as seq, max(approval) as approval"
        f" from log where {is_announcement} group by contact_id), "
        "later as (select l.contact_id, first_value(l.op order by l.seq) as following,"
        " last_value(l.op order by l.seq) as latest from log l join asked a on a.contact_id = l.contact_id"
        f" where l.seq > a.seq and not (l.changed_at = {told} and l.op in ({entries})) group by l.contact_id) "
        "select a.contact_id, a.approval, l.latest from asked a left join later l on l.contact_id = a.contact_id"
        f" where l.following is null or l.following in ({unanswered})"
    )
    latest = {
        ids.text(cast(bytes, row["contact_id"])): Entry(str(row["latest"])) if row["latest"] else None for row in rows
    }
    return Announced(latest, next((str(row["approval"]) for row in rows if row["approval"]), None))


def announcements(log: ChangeLog, since: datetime, is_own: str) -> list[Batch]:
    """Return each announcement at or after `since` that is the latest entry of some contacts, as if it were a batch.

    What was not sent, but only found to be otherwise than recorded (ADOPTED), is none.
    """
    unanswered = ", ".join(f"'{entry}'" for entry in sorted(UNANSWERED))
    rows = log.rows(
        f"select op, changed_at, count(*) as contacts from ({log.folded()}) where op in ({unanswered})"
        f" and {is_own} and changed_at >= {moment.sql(since)} and approval is distinct from '{ADOPTED}'"
        " group by op, changed_at"
    )
    found = []
    for row in rows:
        operation = Operation.ADD if row["op"] == Entry.ASKED else Operation.REMOVE
        at = cast(datetime, row["changed_at"])
        found.append(Batch(operation, at, at, int(str(row["contacts"]))))
    return found


def _rows(batches: Sequence[Batch]) -> Table:
    text, number = DataType.string(), DataType.int64()
    return Table.from_pydict(
        {
            "operation": Array([one.operation.value for one in batches], type=text),
            "announced_at": moment.column([one.announced_at for one in batches]),
            "taken_at": moment.column([one.taken_at for one in batches]),
            "row_count": Array([one.rows for one in batches], type=number),
            "batch_id": Array([one.batch_id for one in batches], type=text),
            "is_over": Array([one.is_over for one in batches], type=DataType.bool()),
        }
    )


def _batch(row: dict[str, Any]) -> Batch:
    return Batch(
        Operation(row["operation"]),
        row["announced_at"],
        row["taken_at"],
        row["row_count"],
        row["batch_id"],
        row["is_over"],
    )
