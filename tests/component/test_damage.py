"""What is damage, and what passes: only content that was read whole, and is wrong at a second look, is set aside."""

import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from errno import EACCES, EIO, EMFILE, ENOSPC, ENOTCONN, ESTALE, ETIMEDOUT, errorcode
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError
from voyado_operator.domain.delivery import Entry
from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.domain.standing import Standing
from voyado_operator.ledger import damage
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.ledger.damage import DAMAGED, is_damaged
from voyado_operator.ledger.erasure import forget
from voyado_operator.ledger.members import Ledger

from tests.component.conftest import Install
from tests.ledgers import opened, record

START = datetime(2026, 6, 1, tzinfo=UTC)
IDS = [f"00000000-0000-4000-8000-{number:012x}" for number in range(50)]
Harm = Callable[[Path], None]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A ledger of a few commits."""
    ledger = opened(url(tmp_path / "root" / "vip"))
    for part in (IDS[:20], IDS[20:40], IDS[40:]):
        record(ledger, Entry.ADD, part, START)
    return tmp_path / "root" / "vip"


def url(table: Path) -> str:
    return f"file://{table}"


def data(table: Path) -> Path:
    return min(table.glob("*.parquet"))


def entry(table: Path, number: int) -> Path:
    return table / "_delta_log" / f"{number:020}.json"


def data_is(change: Callable[[bytes], bytes]) -> Harm:
    return lambda table: rewrite(data(table), change)


def entry_is(number: int, change: Callable[[bytes], bytes]) -> Harm:
    return lambda table: rewrite(entry(table, number), change)


def rewrite(file: Path, change: Callable[[bytes], bytes]) -> None:
    file.write_bytes(change(file.read_bytes()))


def linked(which: Callable[[Path], Path], to: Callable[[Path], Path]) -> Harm:
    """A link in the place of a file or folder."""

    def link(table: Path) -> None:
        place = which(table)
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        place.symlink_to(to(place))

    return link


def replaced_by_a_file(which: Callable[[Path], Path]) -> Harm:
    def replace(table: Path) -> None:
        shutil.rmtree(which(table))
        which(table).touch()

    return replace


WRONG: dict[str, Harm] = {
    "cut after 50 bytes": data_is(lambda held: held[:50]),
    "cut before its end": data_is(lambda held: held[:-1]),
    "empty": data_is(lambda _: b""),
    "zeros": data_is(lambda held: bytes(len(held))),
    "a garbled page": data_is(lambda held: held[:20] + bytes(one ^ 0x5A for one in held[20:400]) + held[400:]),
    "a garbled footer": data_is(lambda held: held[:-60] + bytes(one ^ 0x5A for one in held[-60:-8]) + held[-8:]),
    "missing": lambda table: data(table).unlink(),
    "an empty entry": entry_is(1, lambda _: b""),
    "an entry cut short": entry_is(2, lambda held: held[:-30]),
    "garbage for an entry": entry_is(1, lambda _: b"garbage"),
    "zeros for an entry": entry_is(3, lambda held: bytes(len(held))),
    "no first entry": lambda table: entry(table, 0).unlink(),
    "a gap in the log": lambda table: entry(table, 2).unlink(),
}

UNSEEN: dict[str, Harm] = {
    "the data is a link to itself": linked(data, lambda place: place),
    "the data is a link to nothing": linked(data, lambda place: place.with_name("nothing")),
    "the log is a link to itself": linked(lambda table: table / "_delta_log", lambda place: place),
    "the log is a link to nothing": linked(lambda table: table / "_delta_log", lambda place: place / "nothing"),
    "the table is a link to itself": linked(lambda table: table, lambda place: place),
    "the table is a link to nothing": linked(lambda table: table, lambda place: place.with_name("nothing")),
    "the root is a link to itself": linked(lambda table: table.parent, lambda place: place),
    "the root is a link to nothing": linked(lambda table: table.parent, lambda place: place.with_name("nothing")),
    "the log is a file": replaced_by_a_file(lambda table: table / "_delta_log"),
    "the table is a file": replaced_by_a_file(lambda table: table),
}


def sampled(table: Path) -> list[str]:
    found = Ledger.existing(url(table))
    assert found is not None
    return found.sample(1)


@pytest.mark.parametrize("harm", WRONG.values(), ids=WRONG)
def test_wrong_content_is_damage(table: Path, harm: Harm) -> None:
    assert not is_damaged(url(table))

    harm(table)

    assert is_damaged(url(table))


@pytest.mark.parametrize("harm", UNSEEN.values(), ids=UNSEEN)
def test_what_cannot_be_looked_at_is_neither_damaged_nor_absent(table: Path, harm: Harm) -> None:
    harm(table)

    assert not is_damaged(url(table))
    with pytest.raises(LedgerUnavailable):
        sampled(table)


@pytest.mark.parametrize("gone", [lambda table: table, lambda table: table.parent], ids=["table", "root"])
def test_what_is_not_there_is_absent(table: Path, gone: Callable[[Path], Path]) -> None:
    shutil.rmtree(gone(table))

    assert Ledger.existing(url(table)) is None


# As delta-rs 1.6 words what open, read, pread and readdir answer: recorded by having them fail.
OPENING = {
    "an entry": "Kernel error -> Generic LocalFileSystem error\n ↳ Unable to open file {at}\n ↳ {why}",
    "while an entry is read": "Kernel error: Io error: {why}\n   0: <unknown>",
    "the listing": "Kernel error -> Generic LocalFileSystem error\n ↳ Unable to walk dir\n ↳ IO error\n ↳ {why}",
}
READING = {
    "opened": "External error: Parquet error: Parquet error: Failed to fetch metadata for file {at}: "
    "Object Store error: Generic LocalFileSystem error: Unable to open file {at}: {why}",
    "read": "External error: Parquet error: Parquet error: Failed to fetch metadata for file {at}: "
    "Object Store error: Generic LocalFileSystem error: Unable to read data from file {at}: {why}",
}
NUMBERS = (ESTALE, EIO, ENOTCONN, ENOSPC, EMFILE, EACCES, ETIMEDOUT)
every_number = pytest.mark.parametrize("number", NUMBERS, ids=errorcode.get)


@contextmanager
def opening_fails(kind: type[Exception], text: str) -> Iterator[None]:
    with mock.patch.object(damage, "DeltaTable", side_effect=kind(text)):
        yield


@contextmanager
def reading_fails(text: str) -> Iterator[None]:
    with mock.patch.object(QueryBuilder, "execute", side_effect=Exception(text)):
        yield


def said(words: str, number: int) -> str:
    return words.format(at="/ledger/vip", why=f"{os.strerror(number)} (os error {number})")


@every_number
@pytest.mark.parametrize("words", OPENING.values(), ids=OPENING)
def test_an_error_of_the_system_while_it_is_opened_is_no_damage(table: Path, words: str, number: int) -> None:
    for kind in (OSError, DeltaError):
        with opening_fails(kind, said(words, number)):
            assert not is_damaged(url(table))
            with pytest.raises(LedgerUnavailable, match=os.strerror(number)):
                Ledger.existing(url(table))


@every_number
@pytest.mark.parametrize("words", READING.values(), ids=READING)
def test_an_error_of_the_system_while_it_is_read_is_no_damage(table: Path, words: str, number: int) -> None:
    with reading_fails(said(words, number)):
        assert not is_damaged(url(table))


@pytest.mark.parametrize(
    "words",
    [
        "Object Store error: Generic S3 error: Error performing GET in 180s: HTTP error: error sending request",
        "Kernel error -> Generic S3 error\n ↳ Server returned non-2xx status code: 503 Service Unavailable: SlowDown",
        "External error: Parquet error: Object Store error: Generic GCS error: request timed out",
        "External error: Parquet error: Object Store error: Generic MicrosoftAzure error: Unauthenticated",
        "External error: Arrow error: Resources exhausted: Failed to allocate additional 8.0 MB",
    ],
)
def test_an_error_of_the_store_or_of_memory_is_no_damage(table: Path, words: str) -> None:
    with reading_fails(words):
        assert not is_damaged(url(table))


def test_content_is_not_judged_while_the_system_does_not_give_it_whole(table: Path) -> None:
    entry(table, 1).write_bytes(b"garbage")
    opened = Path.open

    def refusing(path: Path, *mode: str) -> object:
        if path == data(table) or path == entry(table, 3):
            raise OSError(EIO, os.strerror(EIO))
        return opened(path, *mode)

    with mock.patch.object(Path, "open", refusing):
        assert not is_damaged(url(table))
    assert is_damaged(url(table))


def test_too_many_open_files(table: Path) -> None:
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_damaged(url(table))  # whatever is opened once and kept
    os.close(lowest := os.dup(0))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        assert not is_damaged(url(table))
        with pytest.raises(LedgerUnavailable, match=os.strerror(EMFILE)):
            Ledger.existing(url(table))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """Between the first look and the second."""
    with mock.patch("voyado_operator.ledger.damage.time.sleep", side_effect=lambda _: act()):
        yield


@pytest.mark.parametrize("harm", WRONG.values(), ids=WRONG)
def test_what_is_right_at_the_second_look_is_no_damage(table: Path, tmp_path: Path, harm: Harm) -> None:
    shutil.copytree(table, tmp_path / "before")
    harm(table)

    def repaired() -> None:
        shutil.rmtree(table)
        shutil.copytree(tmp_path / "before", table)

    with meanwhile(repaired):
        assert not is_damaged(url(table))


def test_a_version_that_was_replaced_is_not_judged(table: Path) -> None:
    data(table).unlink()

    with meanwhile(lambda: DeltaTable(url(table)).alter.set_table_description("another writer was here")):
        assert not is_damaged(url(table))
    assert is_damaged(url(table))


LINKED = {name: harm for name, harm in UNSEEN.items() if "link" in name}


@pytest.mark.parametrize("kind", ["single", "opt-in"])
@pytest.mark.parametrize("harm", LINKED.values(), ids=LINKED)
async def test_a_run_that_cannot_see_its_ledger_waits_for_it(
    install: Install, tmp_path: Path, kind: str, harm: Harm
) -> None:
    here = install(kind)
    here.select(here.people[:4])
    await here.run()
    ledger = here.ledger()
    shutil.copytree(tmp_path / "ledger", tmp_path / "before", symlinks=True)
    harm(ledger)
    here.select(here.people[1:5])

    status = await here.run()

    assert status.conditions[0].reason == "LedgerUnavailable"
    assert here.shown() == set(here.people[:4])
    for link in [one for one in (ledger.parent, ledger) if one.is_symlink()]:
        link.unlink()
    shutil.rmtree(tmp_path / "ledger")
    shutil.copytree(tmp_path / "before", tmp_path / "ledger", symlinks=True)
    status = await here.run()
    assert status.conditions[0].reason == "Succeeded"
    assert here.shown() == set(here.people[1:5])
    assert not list((tmp_path / "ledger").rglob(f"*{DAMAGED}*"))


@pytest.mark.parametrize("link", ["itself", "nothing"])
@pytest.mark.parametrize("place", [lambda ledger: ledger, lambda ledger: ledger.parent], ids=["table", "root"])
async def test_a_ledger_that_is_back_before_another_is_made_is_not_lost(
    install: Install, caplog: pytest.LogCaptureFixture, place: Callable[[Path], Path], link: str
) -> None:
    here = install("single")
    here.select(here.people[:4])
    await here.run()
    folder, opened = place(here.ledger()), ChangeLog.open
    aside = folder.rename(folder.with_name("aside"))
    folder.symlink_to(folder if link == "itself" else folder.with_name("nothing"))

    def back(*what: Any) -> ChangeLog:
        if folder.is_symlink():
            folder.unlink()
            aside.rename(folder)
        return opened(*what)

    here.select(here.people[1:5])
    with mock.patch.object(ChangeLog, "open", back):
        await here.run()
        if folder.is_symlink():  # nothing was to be made
            folder.unlink()
            aside.rename(folder)
        await here.run()

    assert here.shown() == set(here.people[1:5])
    assert "LedgerLost" not in caplog.text


@contextmanager
def forgetting_while_it_is_judged(root: Path, people: list[str]) -> Iterator[None]:
    """At each look another person is forgotten, after the version was opened and before its files are read."""
    remaining = iter(people)

    class Overtaken(QueryBuilder):
        def execute(self, sql: str) -> Any:
            assert not forget(root, next(remaining)).failed
            return super().execute(sql)

    with mock.patch.object(damage, "QueryBuilder", Overtaken):
        yield


def test_forgetting_while_it_is_judged_is_no_damage(table: Path) -> None:
    with forgetting_while_it_is_judged(table.parent, IDS):
        assert not is_damaged(url(table))


async def test_forgetting_beside_a_run_is_no_damage(install: Install, tmp_path: Path) -> None:
    here = install("single")
    here.select(here.people[:6])
    await here.run()
    here.select(here.people[1:7])
    root, standing = tmp_path / "ledger", Ledger.standing

    def gone_meanwhile(ledger: Ledger) -> Standing:
        assert not forget(root, here.people[3]).failed
        return standing(ledger)

    with (
        mock.patch.object(Ledger, "standing", gone_meanwhile),
        forgetting_while_it_is_judged(root, here.people[4:6] + here.people[8:]),
    ):
        await here.run()
    status = await here.run()

    assert status.conditions[0].reason == "Succeeded"
    assert here.shown() == set(here.people[1:7])
    assert not list(root.rglob(f"*{DAMAGED}*"))
