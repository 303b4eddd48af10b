"""Tables that cannot be read any more, as opposed to storage that cannot be reached."""

import re
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError, TableNotFoundError

from voyado_operator.domain.errors import LedgerUnavailable

# What delta-rs 1.6 says of truncated, overwritten or missing Parquet files, and of gaps or garbage in the log.
DAMAGED = ".damaged-"
SET_ASIDE_AT = "%Y%m%dT%H%M%S%f"
"""How a table's name says when it was set aside, in UTC, after DAMAGED."""
_DAMAGE = re.compile(r"Parquet error|Kernel error|Json error|Object at location .* not found", re.DOTALL)
_PASSING = re.compile(r"permission denied|no space|timed out|timeout|connect|credential|forbidden", re.IGNORECASE)


def existing(url: str) -> DeltaTable | None:
    """The table at `url`, if there is one.

    Not by `is_deltatable`, which says the same and holds the interpreter's lock until the storage has answered.
    """
    try:
        return DeltaTable(url)
    except TableNotFoundError:
        return None


def intact(url: str) -> DeltaTable | None:
    """As `existing`. Raises DeltaError also for an empty entry in its log, as a machine's crash leaves it.

    delta-rs 1.6 takes such an entry for a commit that changed nothing: members and declined contacts would be gone
    without a word.
    """
    log = _path(url) / "_delta_log"
    if urlsplit(url).scheme == "file" and any(not entry.stat().st_size for entry in log.glob("*.json")):
        raise DeltaError("Json error: an entry of the transaction log is empty")
    return existing(url)


def is_damaged(url: str) -> bool:
    """Read the table at `url` whole; False where there is none, or where the storage may answer another time."""
    try:
        if (table := intact(url)) is not None:
            for _ in QueryBuilder().register("log", table).execute("select * from log"):
                pass
    except Exception as error:  # noqa: BLE001 - DataFusion raises bare Exception
        return bool(_DAMAGE.search(str(error))) and not _PASSING.search(str(error))
    return False


def set_aside(url: str, at: datetime) -> None:
    """Move the table away, for a person to look at until retention takes it. Raises LedgerUnavailable."""
    if urlsplit(url).scheme != "file":
        raise LedgerUnavailable(f"the table at {url} is damaged; move it away, and the next run begins a new one")
    path = _path(url)
    try:
        shutil.move(path, path.with_name(f"{path.name}{DAMAGED}{at:{SET_ASIDE_AT}}"))
    except OSError as error:
        raise LedgerUnavailable(f"the damaged table at {url} could not be moved away: {type(error).__name__}") from None


def remove_unfinished(url: str, keep: timedelta) -> None:
    """Delete what a writer that was killed left behind `keep` ago: `….parquet#1`, which Delta's vacuum does not see."""
    if urlsplit(url).scheme != "file":
        return
    for file in _path(url).rglob("*#*"):
        if file.stat().st_mtime <= time.time() - keep.total_seconds():
            file.unlink(missing_ok=True)


def _path(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))
