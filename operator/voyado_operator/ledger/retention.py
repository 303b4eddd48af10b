"""What is old enough to go: replaced versions, ledgers that nobody owns any more, damaged tables."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.ledger.damage import DAMAGED
from voyado_operator.ledger.erasure import tables
from voyado_operator.ledger.layout import batches_url, parked_url, waiting_url
from voyado_operator.ledger.members import Ledger


@dataclass(frozen=True, slots=True)
class Old:
    """A ledger in which nothing was recorded since the retention began, and whose it is."""

    url: str
    owner: str


def old_ledgers(root: Path, before: datetime) -> Iterator[Old]:
    """Ledgers under `root` in which nothing was recorded since then."""
    for table in tables(root):
        if table.suffix or table.name == "identities" or _touched(table) >= before:
            continue
        try:
            ledger = Ledger.existing(f"file://{table}")
            if ledger is not None:
                yield Old(ledger.url, ledger.owner)
        except (LedgerUnavailable, KeyError, ValueError):  # a damaged one is the next run's to find
            continue


def remove(url: str) -> None:
    """Delete a ledger with everything beside it."""
    for one in (url, parked_url(url), waiting_url(url), batches_url(url)):
        shutil.rmtree(Path(one.removeprefix("file://")), ignore_errors=True)


def vacuum(root: Path, keep: timedelta) -> None:
    """Delete the versions of all tables that were replaced longer ago than `keep`."""
    for table in tables(root):
        with suppress(LedgerUnavailable):  # whoever reads it next finds out
            if DAMAGED not in table.name and (log := ChangeLog.existing(f"file://{table}", "contact_id")) is not None:
                log.vacuum(keep)


def remove_damaged(root: Path, before: datetime) -> None:
    """Delete tables that were set aside before then."""
    for table in list(root.rglob(f"*{DAMAGED}*")):
        if table.is_dir() and datetime.fromtimestamp(table.stat().st_ctime, UTC) < before:
            shutil.rmtree(table, ignore_errors=True)


def _touched(table: Path) -> datetime:
    """When rows were last written, or if there are none, when it was made.

    Not the latest commit: to forget somebody fences every ledger, and would have each kept once more for so long.
    """
    files = list(table.glob("*.parquet")) or list((table / "_delta_log").iterdir())
    return datetime.fromtimestamp(max((file.stat().st_mtime for file in files), default=0.0), UTC)
