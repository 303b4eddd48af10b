"""A run's share of a ledger and an erasure exclude each other, in one process and in two."""

import errno
import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.ledger import locks
from voyado_operator.ledger.locks import InUse, Share, alone, shared


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/tenant/label/vip-1"


def test_runs_share_a_ledger(url: str) -> None:
    one, other = Share(url), Share(url)
    assert one.try_take()
    assert other.try_take()
    assert not one.is_wanted
    with shared(url):
        pass


def test_an_erasure_waits_for_every_run_and_no_run_begins_meanwhile(url: str) -> None:
    one, other, late = Share(url), Share(url), Share(url)
    one.try_take()
    other.try_take()
    with ThreadPoolExecutor(1) as erasing:
        erased = erasing.submit(erase, url)
        wait_until(lambda: one.is_wanted)
        one.release()
        assert not late.try_take()
        assert not erased.done()
        other.release()
        erased.result(10)
    assert late.try_take()
    assert not late.is_wanted
    assert one.latest_erasure != late.latest_erasure


def erase(url: str) -> None:
    with alone(url, 10):
        pass


def wait_until(met: Callable[[], bool]) -> None:
    while not met():
        pass


@pytest.mark.parametrize("holding", [shared, lambda url: alone(url, 0)])
def test_an_erasure_waits_no_longer_than_it_was_told(url: str, holding: Callable[[str], Iterator[None]]) -> None:
    with holding(url), pytest.raises(InUse), alone(url, 0):  # type: ignore[attr-defined]
        pass
    erase(url)


def test_a_run_waits_for_an_erasure_no_longer_than_that(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "WAIT", 0.0)
    with alone(url, 0), pytest.raises(InUse), shared(url):
        pass
    with shared(url):
        pass


def test_other_ledgers_are_not_concerned(url: str) -> None:
    with alone(url, 0):
        assert Share(f"{url}2").try_take()


HOLD = """
import sys
from voyado_operator.ledger.locks import Share
print(Share(sys.argv[1]).try_take(), flush=True)
input()
"""


def test_it_reaches_across_processes_and_ends_with_them(url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with pytest.raises(InUse), alone(url, 0):
            pass
        other.kill()
    erase(url)


def test_where_the_file_system_takes_no_locks_nobody_waits(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    share = Share(url)
    assert share.try_take()
    erase(url)
    assert not share.is_wanted
    share.release()
    before = share.latest_erasure
    share.try_take()
    assert share.latest_erasure != before


@pytest.mark.parametrize("content", [b"", b"\0" * 40, b"PAR1 \xff\xfe not a number"], ids=["cut", "zeros", "garbage"])
def test_whatever_a_crash_leaves_in_a_lock_file_locks_as_well(url: str, content: bytes) -> None:
    erase(url)
    for file in Path(unquote(urlsplit(url).path)).parent.glob("*.lock*"):
        file.write_bytes(content)
    share = Share(url)
    assert share.try_take()
    before = share.latest_erasure
    share.release()

    erase(url)

    share.try_take()
    assert share.latest_erasure != before


def test_an_object_store_has_no_locks(url: str) -> None:
    share = Share("s3://bucket/ledger/vip-1")
    assert share.try_take()
    with alone("s3://bucket/ledger/vip-1", 0):
        assert not share.is_wanted


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "tenant").write_text("a file in its place")
    with pytest.raises(LedgerUnavailable, match="could not lock"):
        Share(f"file://{tmp_path}/tenant/vip-1").try_take()


def test_a_lock_file_that_was_deleted_keeps_out_nobody_and_lets_in_nobody(url: str) -> None:
    with alone(url, 0):
        locks.remove(url)
        share = Share(url)
        assert share.try_take(), "of new files"
    with pytest.raises(InUse), alone(url, 0):
        pass
