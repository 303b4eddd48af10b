"""Whom a ledger of a preference or consent shows to have said no, or to have been told no."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import cast

from voyado_operator.arrow import Batches
from voyado_operator.domain.delivery import Entry
from voyado_operator.ledger import ids
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.ledger.layout import kind_of
from voyado_operator.ledger.members import Ledger

_NO = f"op <> '{Entry.VOID}' and not (op in ('{Entry.ADD}', '{Entry.ASKED}') and wrote = 'yes')"
"""SQL for every record that is, or may be, a no: a member of an opt-in said yes, and who was asked may have."""


def noes(ledger: Ledger) -> Iterator[Mapping[str, datetime]]:
    """The contacts with their latest record's moment, some at a time; none of a label's ledger."""
    log = ChangeLog.existing(ledger.url, "contact_id")
    if log is None or kind_of(ledger.url) == "label":
        return
    for batch in Batches(log.present("contact_id, changed_at", _NO)):
        rows = batch.to_struct_array().to_pylist()
        yield {ids.text(cast(bytes, row["contact_id"])): cast(datetime, row["changed_at"]) for row in rows}
