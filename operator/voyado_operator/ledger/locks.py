"""Runs and erasures wait for each other, ledger by ledger.

A run holds a *share* of its ledger while it has the ledger's tables open. An erasure needs the ledger *alone*:

    run                                   erasure, removal
    the turnstile: shared, let go again   the turnstile: alone, kept
    the ledger:    shared, kept           the ledger:    alone, kept

No run gets past the turnstile while an erasure waits, so the erasure's turn comes. A run that finds the turnstile
closed can give way.

The locks are flock(2) on two small files beside the ledger. They belong to the open file: two runs of one process
share, and a process that is killed holds nothing. They reach as far as the file system takes them, over NFS too. Where
it takes none, nobody waits, and what keeps an erasure and a run apart is the fence alone (erasure.py): the run fails,
and is tried again. On object stores there are no such locks, and no erasure either.
"""

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.ledger.failures import unavailable

WAIT = 120.0  # seconds; longer than a run compares, and than most batches take
BETWEEN_TRIES = 0.02
_MARK = 16  # bytes, at random; whatever else a crash or a person has left in the file is as good
_NOT_SUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}


class InUse(LedgerUnavailable):
    """Somebody else has the ledger for longer than one waits."""

    reason = "LedgerUnavailable"


class Share:
    """One run's share of the ledger at `url`. Nothing here waits; every method may raise LedgerUnavailable."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._path = _local(url)
        self._held: int | None = None
        self.latest_erasure = b""
        """What the latest erasure from the ledger has left, as of when the share was taken."""

    def try_take(self) -> bool:
        """Return whether the share is held now. False: an erasure has the ledger, or waits for it."""
        if self._path is None:
            return True
        with unavailable(self._url, "lock"):
            turnstile = _locked(_turnstile(self._path), fcntl.LOCK_SH)
            if turnstile is None:
                return False
            try:
                self._held = _locked(_ledger(self._path), fcntl.LOCK_SH)
                self.latest_erasure = _latest(self._held)
            finally:
                os.close(turnstile)
        return self._held is not None

    def release(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits to have the ledger alone."""
        if self._path is None:
            return False
        with unavailable(self._url, "lock"):
            turnstile = _locked(_turnstile(self._path), fcntl.LOCK_SH)
        if turnstile is not None:
            os.close(turnstile)
        return turnstile is None


@contextmanager
def shared(url: str) -> Iterator[None]:
    """Hold a share of the table at `url`, after waiting for it in this thread. Raises InUse after WAIT."""
    share, until = Share(url), time.monotonic() + WAIT
    while not share.try_take():
        _wait(until, f"the table at {url} has been in use by an erasure for {WAIT:.0f} s")
    try:
        yield
    finally:
        share.release()


@contextmanager
def alone(url: str, wait: float) -> Iterator[None]:
    """Have the ledger at `url` alone, after waiting so many seconds at most. Raises InUse, LedgerUnavailable."""
    path = _local(url)
    if path is None:
        yield
        return
    until = time.monotonic() + wait
    turnstile = _obtained(_turnstile(path), until, f"another erasure has the ledger {url}")
    try:
        held = _obtained(_ledger(path), until, f"a run has the ledger {url} open")
        try:
            os.pwrite(held, secrets.token_bytes(_MARK), 0)
            yield
        finally:
            os.close(held)
    finally:
        os.close(turnstile)


def remove(url: str) -> None:
    """Delete the lock files of a ledger that is gone; for who has it alone. Who waits for them makes new ones."""
    if (path := _local(url)) is not None:
        for file in (_ledger(path), _turnstile(path)):
            file.unlink(missing_ok=True)


def _obtained(file: Path, until: float, why_not: str) -> int:
    with unavailable(str(file), "lock"):
        held = _locked(file, fcntl.LOCK_EX)
    while held is None:
        _wait(until, why_not)
        with unavailable(str(file), "lock"):
            held = _locked(file, fcntl.LOCK_EX)
    return held


def _wait(until: float, why_not: str) -> None:
    if time.monotonic() >= until:
        raise InUse(why_not)
    time.sleep(BETWEEN_TRIES)


def _locked(file: Path, kind: int) -> int | None:
    """The descriptor of the locked file; None while somebody else has it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(opened, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NOT_SUPPORTED:
            return opened
        os.close(opened)
        if isinstance(error, BlockingIOError):
            return None
        raise
    if _is_still(file, opened):
        return opened
    os.close(opened)  # it was deleted between the two calls: a lock on it keeps out nobody
    return None


def _is_still(file: Path, opened: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(file.stat(), os.fstat(opened))
    return False


def _latest(held: int | None) -> bytes:
    return os.pread(held, _MARK, 0) if held is not None else b""


def _ledger(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _turnstile(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock.turnstile")


def _local(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None
