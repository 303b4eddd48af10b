"""The rows of a ledger: one for each entry of a contact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from arro3.core import Array, DataType, RecordBatch
from deltalake import Field, Schema
from deltalake.schema import PrimitiveType

from voyado_operator.domain.delivery import Entry
from voyado_operator.ledger import ids, moment

SCHEMA = Schema(
    [
        Field("seq", PrimitiveType("long"), nullable=False),
        Field("contact_id", PrimitiveType("binary"), nullable=False),
        Field("op", PrimitiveType("string"), nullable=False),
        Field("changed_at", PrimitiveType("timestamp"), nullable=False),
        Field("approval", PrimitiveType("string")),
        Field("decided_at", PrimitiveType("timestamp")),
        Field("witness", PrimitiveType("string")),
    ]
)


@dataclass(frozen=True, slots=True)
class Noted:
    """One entry of contacts that is to be recorded, see Ledger.note."""

    entry: Entry
    contact_ids: Sequence[str]
    at: datetime
    approval: str | None
    decided: Mapping[str, datetime | None]
    witnesses: Mapping[str, str | None]


def rows(seq: int, noted: Noted) -> RecordBatch:
    contacts, at, size, text = noted.contact_ids, noted.at, len(noted.contact_ids), DataType.utf8()
    decided, witnesses = noted.decided, noted.witnesses
    return RecordBatch.from_pydict(
        {
            "seq": Array([seq] * size, type=DataType.int64()),
            "contact_id": ids.column(contacts),
            "op": _repeated(noted.entry.value, size),
            "changed_at": moment.repeated(at, size),
            "approval": _repeated(noted.approval, size),
            "decided_at": moment.column([decided.get(one) for one in contacts]) if decided else moment.nulls(size),
            "witness": Array([witnesses.get(one) for one in contacts], type=text) if witnesses else _repeated(None, size),
        }
    )


@lru_cache(maxsize=8)  # a first run of 1,000,000 contacts writes the same few columns 32 times: 0.4 s
def _repeated(value: str | None, size: int) -> Array:
    return Array([value] * size, type=DataType.utf8())
