"""Tables whose content is wrong, as opposed to storage that cannot be reached or read.

the error has a number of the operating system's, or is the store's own   → LedgerUnavailable, passes
every file was read whole, and the content is wrong                       → a second look, later
    the version has moved on, or the content is right                     → LedgerUnavailable, passes
    the same version, and the content is still wrong                      → damage
"""

import re
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from errno import ENOENT
from pathlib import Path
from urllib.parse import unquote, urlsplit

from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError, TableNotFoundError

from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.ledger.failures import system_error

DAMAGED = ".damaged-"
SET_ASIDE_AT = "%Y%m%dT%H%M%S%f"
"""How a table's name says when it was set aside, in UTC, after DAMAGED."""
SECOND_LOOK = 3.0  # seconds after the first: longer than a mount or a link is away while it is replaced
_PIECE = 1 << 20
# What delta-rs 1.6 says of truncated, overwritten or missing Parquet files, and of gaps or garbage in the log.
_WRONG = re.compile(
    r"Parquet error|Parquet argument error|Arrow error|Kernel error|Json error|Object at location .* not found",
    re.DOTALL,
)
# What may be among the same words when the store or this process fails, and no file is wrong.
_PASSING = re.compile(
    r"permission|privilege|credential|authenticat|forbidden|timed out|timeout|connect|throttl|slow ?down"
    r"|Resources exhausted|memory|alloc|Generic (?!LocalFileSystem|delta)\w+ error",
    re.IGNORECASE,
)


def existing(url: str) -> DeltaTable | None:
    """Return the table at `url`, None if there is none.

    Raises OSError where it cannot be seen whether there is one, such as at a link that leads nowhere: delta-rs takes
    that for a table that does not exist.
    Not by `is_deltatable`, which says the same and holds the interpreter's lock until the storage has answered.
    """
    try:
        return DeltaTable(url)
    except TableNotFoundError:
        if _is_local(url):
            _look_along(_path(url) / "_delta_log")
        return None


def intact(url: str) -> DeltaTable | None:
    """As `existing`. Raises DeltaError also for an empty entry in its log, as a machine's crash leaves it.

    delta-rs 1.6 takes such an entry for a commit that changed nothing: members and declined contacts would be gone
    without a word.
    """
    log = _path(url) / "_delta_log"
    if _is_local(url) and any(not entry.stat().st_size for entry in log.glob("*.json")):
        raise DeltaError("Json error: an entry of the transaction log is empty")
    return existing(url)


def is_damaged(url: str) -> bool:
    """Read the table at `url` whole, and once more if it is wrong; False where there is none.

    Whoever writes to the table meanwhile may have removed what was being read: only a version that is the latest before
    the first look and after the second is judged.
    """
    version = _latest(url)
    if not _is_wrong(url):
        return False
    time.sleep(SECOND_LOOK)
    return _is_wrong(url) and _latest(url) == version


def set_aside(url: str, at: datetime) -> None:
    """Move the table away, for a person to look at until retention takes it. Raises LedgerUnavailable."""
    if not _is_local(url):
        raise LedgerUnavailable(f"the table at {url} is damaged; move it away, and the next run begins a new one")
    path = _path(url)
    try:
        shutil.move(path, path.with_name(f"{path.name}{DAMAGED}{at:{SET_ASIDE_AT}}"))
    except OSError as error:
        raise LedgerUnavailable(f"the damaged table at {url} could not be moved away: {type(error).__name__}") from None


def remove_unfinished(url: str, keep: timedelta) -> None:
    """Delete what a writer that was killed left behind `keep` ago: `….parquet#1`, which Delta's vacuum does not see."""
    if not _is_local(url):
        return
    for file in _path(url).rglob("*#*"):
        if file.stat().st_mtime <= time.time() - keep.total_seconds():
            file.unlink(missing_ok=True)


def _is_wrong(url: str) -> bool:
    """Whether the present content was read whole, and makes no table."""
    table = None
    try:
        if (table := intact(url)) is not None:
            for _ in QueryBuilder().register("log", table).execute("select * from log"):
                pass
    except Exception as error:  # noqa: BLE001 - DataFusion raises bare Exception
        return _is_about_content(error) and (not _is_local(url) or _can_be_read(_path(url), table))
    return False


def _is_about_content(error: Exception) -> bool:
    text = str(error)
    return system_error(error) in (None, ENOENT) and bool(_WRONG.search(text)) and not _PASSING.search(text)


def _can_be_read(folder: Path, table: DeltaTable | None) -> bool:
    """Whether the operating system gives every byte of the log and of the data; a file that is missing has none."""
    data = [_path(uri) for uri in table.file_uris()] if table is not None else []
    try:
        for file in [*_files(folder / "_delta_log"), *data]:
            _read(file)
    except OSError:
        return False
    return True


def _read(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            while opened.read(_PIECE):
                pass
    except FileNotFoundError:
        _look_along(file)


def _latest(url: str) -> int | None:
    """The number of the latest entry of the log; None where nobody can tell."""
    try:
        if not _is_local(url):
            return DeltaTable(url).version()
        return max((int(file.stem) for file in _files(_path(url) / "_delta_log") if file.stem.isdigit()), default=None)
    except (OSError, DeltaError):
        return None


def _files(folder: Path) -> Iterator[Path]:
    return (one for one in folder.iterdir() if one.is_file())


def _look_along(path: Path) -> None:
    """Return if some part of the path is not there at all.

    Raises OSError if one cannot be looked at, FileNotFoundError at a link to what is not there.
    """
    for part in [*reversed(path.parents), path]:
        try:
            part.lstat()
        except FileNotFoundError:
            return
        part.stat()


def _is_local(url: str) -> bool:
    return urlsplit(url).scheme == "file"


def _path(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))
