"""Whom a ledger of a preference or consent shows to have said no, or to have been told no."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import cast

from voyado_operator.arrow import Batches
from voyado_operator.domain.delivery import Entry
from voyado_operator.ledger import ids
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.ledger.members import Ledger

_YES = {
    # Where entering opts in, a member said yes, and whoever was asked may have.
    "Accept": (Entry.ADD, Entry.ASKED, Entry.VOID),
    # Where entering opts out, every record but that nothing happened is, or may be, a no.
    "Decline": (Entry.VOID,),
}


def noes(ledger: Ledger) -> Iterator[Mapping[str, datetime]]:
    """The contacts with their latest record's moment, some at a time; none of a label's ledger."""
    yes = _YES.get(ledger.target.get("onEnter", ""))
    log = ChangeLog.existing(ledger.url, "contact_id") if yes else None
    if yes is None or log is None:
        return
    listed = ", ".join(f"'{entry}'" for entry in yes)
    for batch in Batches(log.present("contact_id, changed_at", f"op not in ({listed})")):
        rows = batch.to_struct_array().to_pylist()
        yield {ids.text(cast(bytes, row["contact_id"])): cast(datetime, row["changed_at"]) for row in rows}
