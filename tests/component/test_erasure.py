"""Afterwards no file under the ledger holds the contact, and what a run then does is what it would have done."""

import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from arro3.core import Array, DataType, Table
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError
from voyado_operator.domain.delivery import Entry, Operation, parking
from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.domain.matching import Match, MatchStatus
from voyado_operator.domain.plan import WaitingPlan
from voyado_operator.ledger import entries, erasure, retention
from voyado_operator.ledger.changelog import CONFIGURATION, MOST_FILES, SMALL, ChangeLog
from voyado_operator.ledger.damage import set_aside
from voyado_operator.ledger.identities import Identities
from voyado_operator.ledger.layout import SUPPRESSION
from voyado_operator.ledger.members import Ledger
from voyado_operator.ledger.parked import Parked
from voyado_operator.ledger.suppression import Suppression
from voyado_operator.ledger.waiting import WaitingPlans

from tests.component.arrow import members, rows_of, table
from tests.hash_key import hash_key_served
from tests.ledgers import OWNER, WITH_IDS_AS_TEXT, opened, record

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ANNA, BERT = (str(uuid.UUID(int=number)) for number in (0xA22A, 0xBE27))
OTHERS = [str(uuid.uuid4()) for _ in range(200)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Every kind of table, with Anna in each."""
    root = tmp_path / "ledger"
    base = root / "tenant"
    url = f"file://{base}/label/vip-1"
    ledger = opened(url, on_enter="Accept")
    record(ledger, Entry.ADD, [ANNA, BERT, *OTHERS], NOW)
    record(ledger, Entry.REMOVE, [ANNA], NOW)
    record(ledger, Entry.ADD, [ANNA], NOW)
    record(ledger, Entry.ASKED, [ANNA], NOW)
    record(ledger, Entry.ADD, [ANNA], NOW)
    Parked(f"{url}.parked").park(Operation.REMOVE, {ANNA: parking(0, NOW), BERT: parking(0, NOW)}, 1, NOW)
    plan = WaitingPlan("sha256:1", "uid", 1, 1, 1, (("maxRemovals", "too many"),), NOW, NOW + timedelta(days=1))
    WaitingPlans(f"{url}.waiting").store(plan, table(contact_id=[ANNA, BERT], op=["add", "remove"]))
    Identities(f"file://{base}/identities/default").remember(
        [(Match("hash", MatchStatus.AMBIGUOUS, (ANNA, BERT)), NOW + timedelta(days=7))], NOW
    )
    set_aside_one(base)
    return root


def set_aside_one(base: Path) -> None:
    url = f"file://{base}/label/old-2"
    record(opened(url), Entry.ADD, [ANNA, BERT], NOW)
    set_aside(url, datetime.now(UTC))


def command(
    root: Path, *arguments: str, key: bytes | None = b"key", said: str = ""
) -> subprocess.CompletedProcess[str]:
    """`key`: what the operator's Secret has; `said` is what a person answers."""
    with hash_key_served(root.parent, key) as kubeconfig:
        environment = os.environ | {"VOYADO_OPERATOR_LEDGER_URL": f"file://{root}", "KUBECONFIG": str(kubeconfig)}
        program = [sys.executable, "-m", "voyado_operator", "contact", *arguments]
        return subprocess.run(program, env=environment, capture_output=True, text=True, input=said)


def traces(root: Path, contact_id: str) -> list[Path]:
    """Files that hold the id, in their bytes or in what a reader makes of them."""
    written = contact_id.encode(), uuid.UUID(contact_id).bytes, contact_id.replace("-", "").encode()
    files = {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    found = [file for file, content in files.items() if any(one in content for one in written)]
    with_ids = [one for one in erasure.tables(root) if one.name != SUPPRESSION]
    return found + [one for one in with_ids if contact_id in _read(one)]


def _read(one: Path) -> str:
    files = [str(file) for file in one.rglob("*.parquet") if "_delta_log" not in file.parts]
    every = "select distinct try_cast(contact_id as uuid)::varchar from read_parquet(?, union_by_name=true)"
    return str(duckdb.connect().execute(every, [files]).fetchall()) if files else ""


def test_a_contact_is_shown_with_where_and_since_when(root: Path) -> None:
    shown = command(root, ANNA.upper())
    assert shown.returncode == 0
    assert shown.stdout == f"a member since 2026-06-01 12:00:00 UTC\ttenant/label/vip-1\tof {OWNER} Accept\n"
    assert "no ledger has a record" in command(root, str(uuid.uuid4())).stdout


def test_a_ledger_that_holds_ids_as_text_is_no_ledger_without_the_contact(tmp_path: Path) -> None:
    ledger = DeltaTable.create(str(tmp_path / "vip"), WITH_IDS_AS_TEXT, configuration=CONFIGURATION)
    rows = entries.noted(Entry.ADD, [ANNA, BERT], NOW, None, {}, entries.Authorship("writer", "run", {})).numbered(1)
    rows = rows.set_column(1, "contact_id", Array([ANNA, BERT], type=DataType.utf8()))
    write_deltalake(ledger, Table.from_batches([rows]), mode="append", writer_properties=SMALL)

    with pytest.raises(LedgerUnavailable):
        list(erasure.memberships(tmp_path, ANNA))
    assert erasure.forget(tmp_path, ANNA) == erasure.Erased(["vip"], [])
    assert traces(tmp_path, ANNA) == []
    assert traces(tmp_path, BERT)


@pytest.mark.parametrize("entry", Entry)
def test_every_record_has_words(root: Path, entry: Entry) -> None:
    ledger = opened(f"file://{root}/tenant/label/vip-1", on_enter="Accept")
    record(ledger, entry, [BERT], NOW)

    shown = command(root, BERT)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "since 2026-06-01 12:00:00 UTC" in shown.stdout


def test_nothing_of_a_forgotten_contact_is_left_and_everybody_else_is(root: Path) -> None:
    assert traces(root, ANNA)

    done = command(root, ANNA, "--forget")

    assert done.returncode == 0, done.stderr
    assert "5 tables held the contact" in done.stdout
    assert traces(root, ANNA) == []
    ledger = Ledger.existing(f"file://{root}/tenant/label/vip-1")
    assert ledger is not None
    assert sorted(members(ledger)) == sorted([BERT, *OTHERS])
    assert ledger.records(ANNA) == []
    waiting = WaitingPlans(f"file://{root}/tenant/label/vip-1.waiting")
    assert [row["contact_id"] for row in rows_of(waiting.changes())] == [BERT]
    assert command(root, ANNA).stdout == "no ledger has a record of this contact\n"


def test_what_killed_writers_left_behind_is_erased_too(root: Path) -> None:
    """Before the commit of a plan, in the middle of a file, and in the middle of an erasure."""
    plans = WaitingPlans(f"file://{root}/tenant/label/vip-1.waiting")
    log = root / "tenant/label/vip-1.waiting/_delta_log"
    plans.drop()
    known = set(log.iterdir())
    write_deltalake(plans._table, table(contact_id=[ANNA], op=["add"]), mode="append")
    for entry in set(log.iterdir()) - known:
        entry.unlink()
    (root / "tenant/label/vip-1/part-0.zstd.parquet#1").write_bytes(ANNA.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("voyado_operator.ledger.changelog.vacuum_all", killed)
        with pytest.raises(Killed):
            erasure.forget(root, ANNA)
    assert traces(root, ANNA)

    assert erasure.forget(root, ANNA).failed == []

    assert traces(root, ANNA) == []


class Killed(BaseException):
    pass


def killed(*_: object) -> None:
    raise Killed


def test_a_table_that_cannot_be_read_keeps_no_other_from_forgetting(root: Path) -> None:
    broken = root / "tenant/label/a-0"
    record(opened(f"file://{broken}"), Entry.ADD, [ANNA], NOW)
    max((broken / "_delta_log").glob("*.json")).write_bytes(b"")

    done = command(root, ANNA, "--forget")

    assert done.returncode == 1
    assert "may still be in these tables" in done.stderr
    assert "a-0" in done.stderr
    assert not [file for file in traces(root, ANNA) if broken not in (file, file.parent)]


def test_what_was_set_aside_is_erased_from_and_never_deleted(root: Path) -> None:
    [aside] = root.rglob("old-2.damaged-*")

    assert command(root, ANNA, "--forget").returncode == 0

    assert traces(root, ANNA) == []
    assert aside in traces(root, BERT)


def test_what_was_set_aside_and_cannot_be_read_is_named_with_the_command_that_deletes_it(root: Path) -> None:
    [aside] = root.rglob("old-2.damaged-*")
    max((aside / "_delta_log").glob("*.json")).write_bytes(b"")

    done = command(root, ANNA, "--forget")

    assert done.returncode == 1
    assert f"`rm -r {aside}` deletes it" in done.stderr
    assert aside.exists()
    assert not [file for file in traces(root, ANNA) if aside not in (file, file.parent)]
    subprocess.run(["rm", "-r", str(aside)], check=True)
    assert command(root, ANNA, "--forget").returncode == 0


@pytest.mark.parametrize("key", [None, b""])
def test_without_the_hash_key_nothing_is_erased(root: Path, key: bytes | None) -> None:
    before = sorted(traces(root, ANNA))

    done = command(root, ANNA, "--forget", key=key)

    assert done.returncode == 1
    assert "voyado-operator-hash-key" in done.stderr
    assert "nothing was erased" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(traces(root, ANNA)) == before


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [([], "n\n", 1), ([], "", 1), ([], "y\n", 0), (["--yes"], "", 0)],
)
def test_to_erase_without_a_trace_is_asked_about_first(root: Path, arguments: list[str], said: str, code: int) -> None:
    before = sorted(traces(root, ANNA))

    done = command(root, ANNA, "--forget", "--without-trace", *arguments, said=said)

    assert done.returncode == code
    assert ("the tenants: tenant." in done.stdout) == (not arguments)
    assert sorted(traces(root, ANNA)) == ([] if code == 0 else before)


def test_without_a_trace_is_a_way_to_forget(root: Path) -> None:
    refused = command(root, ANNA, "--without-trace")
    assert refused.returncode == 2
    assert "--without-trace goes with --forget" in refused.stderr
    assert traces(root, ANNA)


def test_a_run_that_has_the_ledger_open_begins_again(root: Path) -> None:
    running = opened(f"file://{root}/tenant/label/vip-1", on_enter="Accept")

    erasure.forget(root, ANNA)

    with pytest.raises(LedgerUnavailable, match="another writer"):
        running.claim()


def test_so_does_a_run_whose_ledger_does_not_hold_the_contact(root: Path) -> None:
    """Its next file may have been deleted before it was part of the table."""
    running = opened(f"file://{root}/tenant/label/vip-1", on_enter="Accept")

    erasure.forget(root, str(uuid.uuid4()))

    with pytest.raises(LedgerUnavailable, match="another writer"):
        record(running, Entry.REMOVE, [BERT], NOW)


def test_a_plan_that_is_being_stored_meanwhile_is_not_stored_without_its_files(root: Path) -> None:
    url = f"file://{root}/tenant/label/vip-1.waiting"
    plans = WaitingPlans(url)
    plans.drop()

    erasure.forget(root, ANNA)

    with pytest.raises(CommitFailedError):
        write_deltalake(plans._table, table(contact_id=[BERT], op=["add"]), mode="append")


def test_files_that_a_run_merges_meanwhile_do_not_keep_the_contact(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"file://{root}/tenant/label/vip-1"
    for _ in range(MOST_FILES):
        record(running := opened(url), Entry.ADD, [ANNA], NOW)
    rewrite = ChangeLog.rewrite

    def beside(log: ChangeLog, kept: str) -> None:
        if log.url == url:
            with pytest.raises(LedgerUnavailable, match="another writer"):
                running.compact(NOW)
        rewrite(log, kept)

    with monkeypatch.context() as patch:
        patch.setattr(ChangeLog, "rewrite", beside)
        assert erasure.forget(root, ANNA).failed == []

    assert traces(root, ANNA) == []


@pytest.mark.parametrize("wrong", ["anna@example.com", "'; drop", ""])
def test_what_is_no_contact_id_is_not_echoed(root: Path, wrong: str) -> None:
    refused = command(root, wrong)
    assert refused.returncode == 2
    assert "must be a contactId" in refused.stderr
    assert not wrong or wrong not in refused.stderr


def test_only_what_is_old_is_unused(root: Path) -> None:
    url = f"file://{root}/tenant/label/vip-1"
    ledger = Ledger.existing(url)
    assert ledger is not None
    found = retention.Old(url, (), ledger.version)
    now = datetime.now(UTC)
    assert list(retention.old_ledgers(root, now - timedelta(days=1))) == []
    assert list(retention.old_ledgers(root, now + timedelta(seconds=1))) == [found]

    retention.remove_damaged(root, now - timedelta(days=1))
    assert list(root.rglob("*.damaged-*"))
    retention.remove_damaged(root, now + timedelta(seconds=1))
    assert not list(root.rglob("*.damaged-*"))

    for file in (root / "tenant/label/vip-1").rglob("*"):
        os.utime(file, times=(0, 0))
    erasure.forget(root, str(uuid.uuid4()))
    [old] = retention.old_ledgers(root, now - timedelta(days=1))
    assert old.url == url, "it counts as old although somebody was forgotten meanwhile"

    assert retention.remove(old, Suppression(f"file://{root}", b"key"))
    assert [one.name for one in erasure.tables(root)] == ["default"], "remembered matches"


def test_replaced_versions_are_kept_for_as_long_as_was_asked(root: Path) -> None:
    folder = root / "tenant/label/vip-1"
    ledger = Ledger.existing(f"file://{folder}")
    assert ledger is not None
    ledger._log.rewrite("true")
    before = len(list(folder.glob("*.parquet")))

    retention.vacuum(root, timedelta(days=1))
    assert len(list(folder.glob("*.parquet"))) == before
