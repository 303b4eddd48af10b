"""What is old enough to go: replaced versions, ledgers that nobody owns any more, damaged tables."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.ledger import locks
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.ledger.damage import DAMAGED, SET_ASIDE_AT
from voyado_operator.ledger.erasure import is_ledger, tables
from voyado_operator.ledger.layout import batches_url, parked_url, waiting_url
from voyado_operator.ledger.members import Ledger
from voyado_operator.ledger.noes import noes
from voyado_operator.ledger.suppression import Suppression


@dataclass(frozen=True, slots=True)
class Old:
    """A ledger in which nothing was recorded since the retention began, whose it is, and its version."""

    url: str
    owners: tuple[str, ...]
    version: int


def old_ledgers(root: Path, before: datetime) -> Iterator[Old]:
    """Ledgers under `root` in which nothing was recorded since then."""
    for table in tables(root):
        if not is_ledger(table) or _touched(table) >= before:
            continue
        try:
            ledger = Ledger.existing(f"file://{table}")
            if ledger is not None:
                yield Old(ledger.url, tuple(ledger.info.owners), ledger.version)
        except LedgerUnavailable:  # a damaged one is the next run's to find
            continue


def remove(old: Old, suppression: Suppression) -> bool:
    """Delete a ledger with everything beside it; its noes go into the suppression table first.

    False: it stays, since a run has it open, or somebody has written to it since it was found old. Raises
    LedgerUnavailable.
    """
    with suppress(locks.InUse), locks.alone(old.url, wait=0):
        ledger = Ledger.existing(old.url)
        if ledger is None or Old(ledger.url, tuple(ledger.info.owners), ledger.version) != old:
            return False
        ledger.fence()  # for a file system without locks
        for some in noes(ledger):
            suppression.record(some)
        for one in (old.url, parked_url(old.url), waiting_url(old.url), batches_url(old.url)):
            shutil.rmtree(Path(one.removeprefix("file://")), ignore_errors=True)
        locks.remove(old.url)
        return True
    return False


def vacuum(root: Path, keep: timedelta) -> None:
    """Delete the versions of all tables that were replaced longer ago than `keep`."""
    for table in tables(root):
        with suppress(LedgerUnavailable):  # whoever reads it next finds out
            if DAMAGED not in table.name and (log := ChangeLog.existing(f"file://{table}", "contact_id")) is not None:
                log.vacuum(keep)


def remove_damaged(root: Path, before: datetime) -> None:
    """Delete tables that were set aside before then."""
    for table in list(root.rglob(f"*{DAMAGED}*")):
        if table.is_dir() and _set_aside_at(table) < before:
            shutil.rmtree(table, ignore_errors=True)


def _set_aside_at(table: Path) -> datetime:
    """As its name says: to erase somebody from it changes the folder, and must not have it kept for longer."""
    said = table.name.partition(DAMAGED)[2]
    try:
        return datetime.strptime(said, SET_ASIDE_AT).replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(table.stat().st_ctime, UTC)


def _touched(table: Path) -> datetime:
    """When rows were last written, or if there are none, when it was made.

    Not the latest commit: to forget somebody fences every ledger, and would have each kept once more for so long.
    """
    files = list(table.glob("*.parquet")) or list((table / "_delta_log").iterdir())
    return datetime.fromtimestamp(max((file.stat().st_mtime for file in files), default=0.0), UTC)
