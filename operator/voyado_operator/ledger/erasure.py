"""Where a contact is recorded, and how every trace of it goes (DESIGN 6).

Beside a running operator: every table is fenced before it is searched, whether it holds the contact or not, so a run
that has it open fails at its next checkpoint and begins again, with what it had already recorded. Else that run could
merge files, the contact's rows among them, beside the rewrite, or commit a file that was deleted while it was not yet
part of the table.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.ledger.damage import DAMAGED
from voyado_operator.ledger.failures import Overtaken, unavailable
from voyado_operator.ledger.layout import IDENTITIES
from voyado_operator.ledger.members import Ledger
from voyado_operator.ledger.waiting import WaitingPlans

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Membership:
    """What one ledger says of a contact: its latest record, and since when."""

    ledger: str
    owner: str
    entry: str
    since: datetime


def memberships(root: Path, contact_id: str) -> Iterator[Membership]:
    """Every ledger under `root` that has a record of the contact. Raises LedgerUnavailable."""
    for table in tables(root):
        is_ledger = _kind(table) == "ledger" and DAMAGED not in table.name
        if is_ledger and (ledger := Ledger.existing(_url(table))) is not None:
            for entry, since in ledger.records(contact_id):
                yield Membership(str(table.relative_to(root)), ledger.owner, entry, since)


@dataclass(frozen=True, slots=True)
class Erased:
    """Which tables held the contact, and why some could not be searched."""

    held: list[str]
    failed: list[str]


def forget(root: Path, contact_id: str) -> Erased:
    """Erase the contact from every table under `root`; one that fails keeps no other from it.

    Tables that were set aside as damaged cannot be searched, so they go altogether.
    """
    erased = Erased([], [])
    for table in tables(root):
        try:
            if _erased_at_last(table, contact_id):
                erased.held.append(str(table.relative_to(root)))
        except LedgerUnavailable as error:
            erased.failed.append(str(error))
    return erased


def tables(root: Path) -> Iterator[Path]:
    return (log.parent for log in sorted(root.rglob("_delta_log")))


def _erased_at_last(table: Path, contact_id: str) -> bool:
    """A running operator commits every few seconds, a rewrite takes less: it rarely takes a second attempt."""
    if DAMAGED in table.name:
        with unavailable(_url(table), "remove"):
            shutil.rmtree(table)
        return True
    for _ in range(ATTEMPTS - 1):
        with suppress(Overtaken):
            return _erased(table, contact_id)
    return _erased(table, contact_id)


def _erased(table: Path, contact_id: str) -> bool:
    """Whether the table held the contact; it does no more, and neither do its earlier versions."""
    url, kind = _url(table), _kind(table)
    if kind == "batches":
        return False  # it names no contact
    if kind == "waiting":
        return WaitingPlans(url).forget(contact_id)
    log = ChangeLog.existing(url, "address_hash" if kind == "identities" else "contact_id")
    if log is None:
        return False
    log.fence()
    literal = log.contact(contact_id)
    is_held = bool(log.rows(f"select 1 as one from log where contact_id = {literal} limit 1"))
    if is_held:
        log.rewrite(f"contact_id is distinct from {literal}")
    log.vacuum_all()
    return is_held


def _url(table: Path) -> str:
    return f"file://{table}"


def _kind(table: Path) -> str:
    """By the names that layout.py gives."""
    if table.name == IDENTITIES:
        return "identities"
    return {".waiting": "waiting", ".parked": "parked", ".batches": "batches"}.get(table.suffix, "ledger")
