"""A ledger that is written to by hand."""

from typing import Any

from voyado_operator.ledger.members import Ledger


def record(ledger: Ledger, *noted: Any, **more: Any) -> None:
    """Note one entry of contacts, and commit it."""
    ledger.note(*noted, **more)
    ledger.commit()
