"""A ledger that is written to by hand."""

from typing import Any

from deltalake import Field, Schema
from deltalake.schema import PrimitiveType
from voyado_operator.ledger import entries
from voyado_operator.ledger.members import Ledger

WITH_IDS_AS_TEXT = Schema(
    [
        Field(one.name, PrimitiveType("string"), nullable=False) if one.name == "contact_id" else one
        for one in entries.SCHEMA.fields
    ]
)
"""A layout that no run takes for a ledger's."""


def record(ledger: Ledger, *noted: Any, **more: Any) -> None:
    """Note one entry of contacts, and commit it."""
    ledger.note(*noted, **more)
    ledger.commit()
