"""`voyado-operator contact ID --forget`: how every record of a person is erased, and what is left instead."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import typer

from voyado_operator.cli.contact import answered
from voyado_operator.cli.exit_codes import DONE, UNABLE
from voyado_operator.kube import hash_key
from voyado_operator.kube.hash_key import NoHashKey
from voyado_operator.ledger import erasure
from voyado_operator.ledger.suppression import Suppression
from voyado_operator.settings import Settings


class Trace(StrEnum):
    """What is left of a contact, so that nobody is opted in for having been forgotten."""

    HASH = "hash"
    """A keyed hash of the contactId."""
    MOMENT = "moment"
    """Nothing but when somebody was forgotten."""


_LEFT = {
    Trace.HASH: "A keyed hash of it stays: it is opted in again only where a row's decidedAt is later than now.",
    Trace.MOMENT: "Nothing tells any more who was forgotten, only when.",
}


def forget(settings: Settings, contact_id: str, trace: Trace, agreed: Callable[[str], bool]) -> int:
    """Erase the contact from all ledgers, and leave `trace` of it; return the exit code.

    `agreed` is asked first where that concerns others too.
    """

    def answer(root: Path, canonical: str) -> int:
        try:
            key = asyncio.run(hash_key.read(settings.kubeconfig, settings.namespace))
        except NoHashKey as error:
            typer.echo(f"voyado-operator: {error}; nothing was erased", err=True)
            return UNABLE
        if trace is Trace.MOMENT and not agreed(_whom_it_concerns(root)):
            typer.echo("voyado-operator: nothing was erased", err=True)
            return UNABLE
        return _forget(root, canonical, trace, Suppression(settings.ledger_url, key))

    return answered(settings.ledger_url, contact_id, answer)


def _whom_it_concerns(root: Path) -> str:
    tenants = ", ".join(erasure.tenants(root)) or "none yet"
    return (
        "Without a trace nobody can tell later who was forgotten. So each contact that Engage shows as created before"
        " now, or without a date, and that the target's ledger does not know, is opted in only where a row's decidedAt"
        f" is later than now. That concerns the tenants: {tenants}. Erase without a trace? (--yes answers this)"
    )


def _forget(root: Path, contact_id: str, trace: Trace, suppression: Suppression) -> int:
    """Leave the trace first: killed after it, the contact is not opted in, and the command can be repeated."""
    now = datetime.now(UTC)
    if trace is Trace.HASH:
        suppression.record({contact_id: now})
    else:
        suppression.record_moment(now)
    erased = erasure.forget(root, contact_id)
    if trace is Trace.MOMENT:
        suppression.erase(contact_id)
    return _told(erased, trace)


def _told(erased: erasure.Erased, trace: Trace) -> int:
    for table in erased.held:
        typer.echo(f"erased from {table}")
    for why in erased.failed:
        typer.echo(f"voyado-operator: {why}", err=True)
    if erased.failed:
        typer.echo("voyado-operator: the contact may still be in these tables; run this again then", err=True)
        return UNABLE
    count = len(erased.held)
    typer.echo(f"{count} tables held the contact; none does any more, and earlier versions of all tables are gone")
    typer.echo(_LEFT[trace])
    typer.echo("Engage still shows what it showed, and a contact that is still in an audience is recorded again:")
    typer.echo("delete it in Engage and in the warehouse first.")
    return DONE
