"""Where a contact is recorded, and how every trace of it goes (DESIGN 6).

Beside a running operator: an erasure has a ledger alone while it erases from it (locks.py), and there is one erasure
at a time.
"""

import shlex
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.ledger.damage import DAMAGED
from voyado_operator.ledger.failures import Overtaken
from voyado_operator.ledger.layout import IDENTITIES, SUPPRESSION
from voyado_operator.ledger.locks import WAIT, InUse, alone, shared
from voyado_operator.ledger.members import Ledger
from voyado_operator.ledger.waiting import WaitingPlans

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Membership:
    """What one ledger says of a contact: its latest record, since when, and by whom (owner and direction)."""

    ledger: str
    writer: str
    entry: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Erased:
    """Which tables held the contact, and why others could not be searched."""

    held: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def memberships(root: Path, contact_id: str) -> Iterator[Membership]:
    """Every ledger under `root` that has a record of the contact. Raises LedgerUnavailable."""
    for table in tables(root):
        if not is_ledger(table):
            continue
        with shared(_url(table)):
            ledger = Ledger.existing(_url(table))
            records = ledger.records(contact_id) if ledger is not None else []
        for entry, since, writer in records:
            yield Membership(str(table.relative_to(root)), writer, entry, since)


def forget(root: Path, contact_id: str) -> Erased:
    """Erase the contact from every table under `root`; one that fails keeps no other from it.

    The suppression table stays as it is. Raises InUse while another erasure is under way.
    """
    erased, done = Erased(), set[Path]()
    with alone(_url(root / "erasing"), WAIT):
        # Again, as a run may make a table, such as that of a plan, while its ledger is waited for.
        while remaining := [table for table in tables(root) if table not in done and _kind(table) != SUPPRESSION]:
            for table in remaining:
                _erase_from(table, contact_id, root, erased)
            done.update(remaining)
    return erased


def _erase_from(table: Path, contact_id: str, root: Path, erased: Erased) -> None:
    try:
        if _erased_at_last(table, contact_id):
            erased.held.append(str(table.relative_to(root)))
    except LedgerUnavailable as error:
        erased.failed.append(f"{error}{'' if isinstance(error, InUse) else _way_out(table)}")


def tables(root: Path) -> Iterator[Path]:
    """The folders of all tables under `root`."""
    return (log.parent for log in sorted(root.rglob("_delta_log")))


def tenants(root: Path) -> list[str]:
    """The hosts of the tenants that have a table under `root`."""
    return sorted({path.parts[0] for table in tables(root) if len((path := table.relative_to(root)).parts) > 1})


def is_ledger(table: Path) -> bool:
    """Whether the table is a ledger, by the names that layout.py gives, and was not set aside."""
    return "." not in table.name and _kind(table) == "ledger"


def _way_out(table: Path) -> str:
    command = f"`rm -r {shlex.quote(str(table))}`"
    if DAMAGED in table.name:
        return f"; it was set aside, and no run reads it: {command} deletes it"
    return f"; the next run sets it aside if it is damaged, and {command} deletes it"


def _erased_at_last(table: Path, contact_id: str) -> bool:
    """Where the file system takes no locks, a run may commit meanwhile: every few seconds, and a rewrite takes less."""
    with _alone(table):
        for _ in range(ATTEMPTS - 1):
            with suppress(Overtaken):
                return _erased(table, contact_id)
        return _erased(table, contact_id)


def _alone(table: Path) -> AbstractContextManager[None]:
    """What lies beside a ledger goes by the ledger's lock; a table that was set aside is open nowhere."""
    if DAMAGED in table.name:
        return nullcontext()
    return alone(_url(table.with_name(table.name.partition(".")[0])), WAIT)


def _erased(table: Path, contact_id: str) -> bool:
    """Whether the table held the contact; it does no more, and neither do its earlier versions."""
    url, kind = _url(table), _kind(table)
    if kind == "batches":
        return False  # it names no contact
    if kind == "waiting":
        return WaitingPlans(url).forget(contact_id)
    log = ChangeLog.existing(url, "address_hash" if kind == IDENTITIES else "contact_id")
    return log is not None and log.erase("contact_id", log.contact(contact_id))


def _url(table: Path) -> str:
    return f"file://{table}"


def _kind(table: Path) -> str:
    """By the names that layout.py gives, whether the table was set aside or not."""
    if table.parent.name == IDENTITIES:
        return IDENTITIES
    name = Path(table.name.partition(DAMAGED)[0])
    if name.name == SUPPRESSION:
        return SUPPRESSION
    return {".waiting": "waiting", ".parked": "parked", ".batches": "batches"}.get(name.suffix, "ledger")
