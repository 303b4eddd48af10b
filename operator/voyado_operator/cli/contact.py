"""`voyado-operator contact ID`: where a person is recorded."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

import typer

from voyado_operator.cli.exit_codes import DONE, UNABLE, USAGE
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
    Entry.DOUBTED: "held, as the ledger was lost that would tell whether they said no,",
    Entry.GONE: "gone from Engage",
}


def show(ledger_url: str, contact_id: str) -> int:
    """Print what the ledgers hold of the contact; return the exit code."""
    return answered(ledger_url, contact_id, _show)


def answered(ledger_url: str, contact_id: str, answer: Callable[[Path, str], int]) -> int:
    """Return the exit code of `answer`, which is given the ledgers' root and the canonical contactId."""
    parts = urlsplit(ledger_url)
    if parts.scheme != "file":
        typer.echo(f"voyado-operator: ledgers on {parts.scheme}:// cannot be searched by this command yet", err=True)
        return UNABLE
    try:
        canonical = str(UUID(contact_id))
    except ValueError:
        typer.echo("voyado-operator: ID must be a contactId of Engage, a GUID such as 2f6b8a0e-…", err=True)
        return USAGE
    try:
        return answer(Path(unquote(parts.path)), canonical)
    except LedgerUnavailable as error:
        typer.echo(f"voyado-operator: {error}; run it again", err=True)
        return UNABLE


def _show(root: Path, contact_id: str) -> int:
    found = list(erasure.memberships(root, contact_id))
    if not found:
        typer.echo("no ledger has a record of this contact")
    for one in found:
        typer.echo(f"{_SAID[Entry(one.entry)]} since {one.since:%Y-%m-%d %H:%M:%S} UTC\t{one.ledger}\tof {one.writer}")
    return DONE
