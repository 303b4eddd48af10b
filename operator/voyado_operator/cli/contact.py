"""`voyado-operator contact ID`: where a person is recorded, and how the record is erased."""

from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

import typer

from voyado_operator.domain.delivery import Entry
from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.ledger import erasure

_SAID = {
    Entry.ADD: "a member",
    Entry.REMOVE: "removed",
    Entry.ASKED: "sent, not answered,",
    Entry.LEAVING: "a member, its removal sent, not answered,",
    Entry.CLEARING: "no member, a removal sent, not answered,",
    Entry.VOID: "not a member",
    Entry.DECLINED: "declined",
    Entry.GONE: "gone from Engage",
}


def contact(ledger_url: str, contact_id: str, *, forget: bool) -> int:
    """Print what the ledgers hold of the contact, after erasing it where that is asked; return the exit code."""
    parts = urlsplit(ledger_url)
    if parts.scheme != "file":
        typer.echo(f"voyado-operator: ledgers on {parts.scheme}:// cannot be searched by this command yet", err=True)
        return 1
    try:
        canonical = str(UUID(contact_id))
    except ValueError:
        typer.echo("voyado-operator: ID must be a contactId of Engage, a GUID such as 2f6b8a0e-…", err=True)
        return 2
    root = Path(unquote(parts.path))
    try:
        return _forget(root, canonical) if forget else _show(root, canonical)
    except LedgerUnavailable as error:
        typer.echo(f"voyado-operator: {error}; run it again", err=True)
        return 1


def _show(root: Path, contact_id: str) -> int:
    found = list(erasure.memberships(root, contact_id))
    if not found:
        typer.echo("no ledger has a record of this contact")
    for one in found:
        typer.echo(f"{_SAID[Entry(one.entry)]} since {one.since:%Y-%m-%d %H:%M:%S} UTC\t{one.ledger}\tof {one.writer}")
    return 0


def _forget(root: Path, contact_id: str) -> int:
    erased = erasure.forget(root, contact_id)
    for table in erased.held:
        typer.echo(f"erased from {table}")
    for why in erased.failed:
        typer.echo(f"voyado-operator: {why}", err=True)
    if erased.failed:
        typer.echo("voyado-operator: the contact may still be in these tables; repair or remove them", err=True)
        return 1
    count = len(erased.held)
    typer.echo(f"{count} tables held the contact; none does any more, and earlier versions of all tables are gone")
    typer.echo("Engage still shows what it showed, and a contact that is still in an audience comes back:")
    typer.echo("delete it in Engage and in the warehouse first.")
    return 0
