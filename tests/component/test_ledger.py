"""The ledger on a real file system, against a Python model of what it should hold."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest
from deltalake import DeltaTable
from deltalake.table import TableOptimizer
from hypothesis import given, settings
from hypothesis import strategies as st
from voyado_operator.domain.delivery import MAY_BE_ON, RESTORED, Entry, Operation
from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.domain.ledger_info import Succession
from voyado_operator.domain.target import TargetIdentity
from voyado_operator.ledger import changelog, ids
from voyado_operator.ledger.layout import identities_url, is_of_same_target, ledger_url, normalised_root, waiting_url
from voyado_operator.ledger.members import Ledger
from voyado_operator.targets import bulk

from tests.component.arrow import contacts, members, on_target, rows_of
from tests.ledgers import OWNER, WITH_IDS_AS_TEXT, opened, record, side

START = datetime(2026, 1, 1, tzinfo=UTC)
IDS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(30)]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/vip"


@pytest.fixture
def small_rebases(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a handful of changes is worth a rebase."""
    monkeypatch.setattr(changelog, "SMALLEST_REBASE", 5)


some, approvals = st.sets(st.sampled_from(IDS), max_size=12), st.sampled_from([None, "sha256:a"])
changes = st.lists(st.tuples(st.sampled_from(Operation), some, approvals), max_size=8)


@pytest.mark.usefixtures("small_rebases")
@settings(max_examples=25, deadline=None)
@given(changes=changes, window_hours=st.integers(0, 10))
def test_members_and_window_are_those_of_a_plain_set(
    changes: list[tuple[Operation, set[str], str | None]], window_hours: int
) -> None:
    """Changes an hour apart; each time only what a diff would send. Every second commit goes through a new handle."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"file://{folder}/vip"
        ledger, model = opened(url), set[str]()
        since = START + timedelta(hours=len(changes) - window_hours)
        sent = {operation: set[str]() for operation in Operation}
        sizes = []
        for hour, (operation, wanted, approval) in enumerate(changes):
            at = START + timedelta(hours=hour)
            moved = wanted - model if operation is Operation.ADD else wanted & model
            if at >= since and not sizes:
                sizes.append(len(model))
            if operation is Operation.REMOVE:
                record(ledger, Entry.LEAVING, list(moved), at, approval)
            record(ledger, Entry(operation), list(moved), at, approval)
            ledger.compact(at)
            model = model | moved if operation is Operation.ADD else model - moved
            if at >= since:
                sizes.append(len(model))
                sent[operation] |= set() if approval else moved
            if hour % 2:
                ledger = opened(url)

        assert sorted(members(ledger)) == sorted(model)
        assert ledger.peak(since, len(model)) == max([*sizes, len(model)])
        assert {operation: contacts(ledger.sent(operation, since)) for operation in Operation} == sent


@pytest.mark.parametrize("few", [0, changelog.FEW], ids=["base and changes", "in one scan"])
@settings(max_examples=25, deadline=None)
@given(
    entries=st.lists(st.tuples(st.sampled_from(Entry), st.sets(st.sampled_from(IDS), min_size=1)), max_size=8),
    compactions=st.sets(st.integers(0, 7)),
)
def test_the_latest_entry_says_who_may_be_on_the_target(
    few: int, entries: list[tuple[Entry, set[str]]], compactions: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(changelog, "FEW", few)
        patch.setattr(changelog, "SMALLEST_REBASE", 5)
        ledger, latest = opened(f"file://{folder}/vip"), dict[str, str]()
        for number, (entry, some) in enumerate(entries):
            record(ledger, entry, list(some), START)
            latest |= dict.fromkeys(some, str(entry))
            if number in compactions:
                ledger.compact(START)

        assert sorted(on_target(ledger)) == sorted((one, op) for one, op in latest.items() if op in MAY_BE_ON)


def test_what_is_known_not_to_have_happened_was_not_sent(url: str) -> None:
    ledger, later = opened(url), START + timedelta(hours=1)
    record(ledger, Entry.ASKED, IDS[:3], START)
    record(ledger, Entry.VOID, IDS[:1], later)
    record(ledger, Entry.DECLINED, IDS[1:2], later)
    record(ledger, Entry.LEAVING, IDS[5:8], START)
    record(ledger, Entry.ADD, IDS[5:6], later, RESTORED)
    record(ledger, Entry.CLEARING, IDS[8:9], START)

    assert contacts(ledger.sent(Operation.ADD, START)) == set(IDS[2:3])
    assert contacts(ledger.sent(Operation.REMOVE, START)) == set(IDS[6:9])
    assert contacts(ledger.sent(Operation.REMOVE, later)) == set(), "a refusal pays for no other removal"


def test_what_the_same_commit_takes_back_was_not_sent(url: str) -> None:
    ledger = opened(url)
    for entry, some, approval in (
        (Entry.ASKED, IDS[:3], None),
        (Entry.VOID, IDS[:1], None),
        (Entry.DECLINED, IDS[1:2], None),
        (Entry.LEAVING, IDS[5:7], None),
        (Entry.ADD, IDS[5:6], RESTORED),
    ):
        ledger.note(entry, some, START, approval)
    ledger.commit()

    assert contacts(ledger.sent(Operation.ADD, START)) == set(IDS[2:3])
    assert contacts(ledger.sent(Operation.REMOVE, START)) == set(IDS[6:7])


def test_who_is_gone_was_a_member_until_then(url: str) -> None:
    ledger = opened(url)
    record(ledger, Entry.ADD, IDS[:5], START - timedelta(days=2))
    ledger.note(Entry.GONE, IDS[:2], START)

    assert ledger.commit() == -2
    assert ledger.peak(START - timedelta(days=1), 3) == 5


def test_a_new_ledger_is_empty_and_nobody_owns_it(url: str) -> None:
    ledger = opened(url)
    assert (members(ledger), ledger.version) == ([], 0)
    assert (ledger.info.owners, ledger.info.target) == ({}, "label vip of acme.voyado.com")
    assert ledger.reference().mark is None


def test_a_ledger_belongs_to_whoever_claimed_it(url: str) -> None:
    opened(url).claim()
    assert list(opened(url).info.owners) == [OWNER]

    opened(url, "other/owner/name").claim(Succession((OWNER,)))

    assert list(opened(url).info.owners) == ["other/owner/name"]


@pytest.mark.parametrize(
    ("mine", "theirs", "is_rival"),
    [(None, None, True), (None, "Member", True), ("Member", "Member", True), ("Member", "Contact", False)],
)
def test_owners_are_rivals_where_their_contacts_may_be_the_same(
    url: str, mine: str | None, theirs: str | None, is_rival: bool
) -> None:
    other = opened(url)
    other.take_side(side("other/owner/name", contact_type=theirs))
    other.claim()

    assert opened(url).info.rivals(OWNER, mine) == (["other/owner/name"] if is_rival else [])
    assert opened(url).info.rivals("other/owner/name", mine) == []


def test_a_ledger_that_is_not_there_is_none(url: str) -> None:
    assert Ledger.existing(url) is None
    opened(url)
    assert Ledger.existing(url) is not None


@pytest.mark.parametrize("intrusion", ["append", "describe"])
def test_of_two_writers_the_later_is_refused(url: str, intrusion: str) -> None:
    ours, theirs = opened(url), opened(url)
    if intrusion == "append":
        record(theirs, Entry.ADD, IDS[:3], START)
    else:
        theirs.claim()

    with pytest.raises(LedgerUnavailable, match="another writer"):
        record(ours, Entry.ADD, IDS[3:6], START)

    assert not set(members(opened(url))) & set(IDS[3:6])


@pytest.mark.usefixtures("small_rebases")
def test_a_rebase_forgets_no_member_and_keeps_the_window(url: str) -> None:
    ledger = opened(url)
    record(ledger, Entry.ADD, IDS, START - timedelta(days=40))
    record(ledger, Entry.LEAVING, IDS[:10], START)
    record(ledger, Entry.REMOVE, IDS[:10], START)
    ledger.compact(START)

    assert ledger._log.base, "it was rebased"
    assert sorted(members(opened(url))) == IDS[10:]
    assert contacts(opened(url).sent(Operation.REMOVE, START - timedelta(days=1))) == set(IDS[:10])
    assert opened(url).peak(START - timedelta(days=1), 20) == 30


@pytest.mark.usefixtures("small_rebases")
def test_a_rebase_leaves_nothing_of_the_one_before(url: str) -> None:
    ledger, day = opened(url), timedelta(days=1)
    record(ledger, Entry.ADD, IDS, START)
    for some in (IDS[:10], IDS[10:20]):
        record(ledger, Entry.LEAVING, some, START)
        record(ledger, Entry.REMOVE, some, START)
        ledger.compact(START)

    [counted] = ledger._log.rows("select count(*) as rows from log")
    assert counted["rows"] == len(IDS[20:]) + len(IDS) + 2 * 20, "the members, and the history"
    assert opened(url).peak(START - day, len(IDS[20:])) == len(IDS)


@pytest.mark.usefixtures("small_rebases")
def test_an_erasure_leaves_nothing_of_the_base_before(url: str) -> None:
    ledger, others = opened(url), f"contact_id <> {ids.sql(IDS[0])}"
    record(ledger, Entry.ADD, IDS, START)
    record(ledger, Entry.LEAVING, IDS[20:], START)
    ledger.compact(START)
    [before] = ledger._log.rows(f"select count(*) as rows from log where {others}")

    ledger._log.rewrite(others)

    assert ledger._log.rows("select count(*) as rows from log") == [before]
    assert opened(url).peak(START - timedelta(days=1), 19) == len(IDS) - 1


@pytest.mark.usefixtures("small_rebases")
@pytest.mark.parametrize("shared", [False, True], ids=["a commit each", "shared commits"])
def test_a_first_run_becomes_the_base_as_it_is(url: str, shared: bool) -> None:
    ledger = opened(url)
    assert ledger.is_empty
    ledger.claim()
    for page in (IDS[:10], IDS[10:]):
        record(ledger, Entry.ASKED, page, START)
        ledger.note(Entry.ADD, page, START)
        if not shared:
            ledger.commit()
    ledger.commit()

    ledger.found()

    assert ledger._log.base, "it was founded"
    assert sorted(members(opened(url))) == IDS
    assert contacts(opened(url).sent(Operation.ADD, START)) == set(IDS)
    assert contacts(opened(url).sent(Operation.REMOVE, START)) == set()
    later = opened(url)
    assert not later.is_empty
    record(later, Entry.LEAVING, IDS[:7], START)
    record(later, Entry.REMOVE, IDS[:7], START)
    assert sorted(members(opened(url))) == IDS[7:]
    assert opened(url).peak(START, len(IDS) - 7) == len(IDS)
    assert contacts(opened(url).sent(Operation.REMOVE, START)) == set(IDS[:7])
    founded = later._log.base
    later.compact(START)
    assert later._log.base != founded, "it was rebased"
    assert sorted(members(opened(url))) == IDS[7:]
    told = opened(url)._log.rows(f"select op from log where contact_id = {ids.sql(IDS[0])} order by seq")
    assert [row["op"] for row in told] == ["asked", "add", "leaving", "remove"], "what was founded is history as well"
    assert opened(url).peak(START, len(IDS) - 7) == len(IDS)
    assert contacts(opened(url).sent(Operation.ADD, START)) == set(IDS)
    assert contacts(opened(url).sent(Operation.REMOVE, START)) == set(IDS[:7])


@pytest.mark.usefixtures("small_rebases")
@pytest.mark.parametrize("pages", [[IDS], [IDS[:10], IDS[10:]]], ids=["one batch", "two"])
def test_more_than_a_fifth_of_a_first_run_in_changes_is_worth_a_rebase(url: str, pages: list[list[str]]) -> None:
    ledger = opened(url)
    ledger.claim()
    for page in pages:
        record(ledger, Entry.ASKED, page, START)
        ledger.note(Entry.ADD, page, START)
    ledger.commit()
    ledger.found()
    founded = ledger._log.base

    for leaving, is_rebased in ((IDS[:6], False), (IDS[6:7], True)):
        record(ledger, Entry.LEAVING, leaving, START)
        record(ledger, Entry.REMOVE, leaving, START)
        ledger.compact(START)
        assert (ledger._log.base != founded) is is_rebased


def test_more_changes_than_fit_into_memory_are_folded_range_by_range(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "MOST_FOLDED", 20)
    everybody = sorted(f"{number * 997 % 4096:03x}00000-0000-4000-8000-000000000000" for number in range(150))
    ledger = opened(url)
    ledger.claim()
    record(ledger, Entry.ADD, everybody[:100], START)
    ledger.found()
    record(ledger, Entry.LEAVING, everybody[20:60], START)
    record(ledger, Entry.REMOVE, everybody[20:60], START)
    record(ledger, Entry.ADD, everybody[100:], START)
    expected = sorted({*everybody} - {*everybody[20:60]})

    assert sorted(members(opened(url))) == expected
    monkeypatch.setattr(changelog, "SMALLEST_REBASE", 5)
    opened(url).compact(START)
    assert sorted(members(opened(url))) == expected


@pytest.mark.parametrize("commits", [changelog.MOST_FILES, changelog.MOST_FILES + 1], ids=["few files", "many"])
def test_many_small_files_become_one_and_every_row_stays(url: str, commits: int) -> None:
    ledger = opened(url)
    for contact_id in IDS[:commits]:
        record(ledger, Entry.ADD, [contact_id], START)

    ledger.compact(START)

    assert len(ledger._log.table.file_uris()) == (1 if commits > changelog.MOST_FILES else commits)
    assert sorted(members(opened(url))) == IDS[:commits]
    assert contacts(opened(url).sent(Operation.ADD, START)) == set(IDS[:commits])
    version = ledger.version
    ledger.compact(START)
    assert ledger.version == version, "nothing is left to be merged"


def test_files_of_a_size_are_merged_where_there_are_many_of_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = opened(url)
    for contact_id in IDS[:20]:
        record(ledger, Entry.ADD, [contact_id], START)
    [size, *_] = sorted(ledger._log.table.get_add_actions()["size_bytes"].to_pylist())
    monkeypatch.setattr(changelog, "TIERS", (0, size - 100, size - 50))
    ledger.compact(START)
    assert len(ledger._log.table.file_uris()) == 20, "none is so small"

    monkeypatch.setattr(changelog, "TIERS", (0, size - 100, 50 * size))
    ledger.compact(START)

    assert len(ledger._log.table.file_uris()) == 1
    assert sorted(members(opened(url))) == IDS[:20]


def test_files_at_the_end_of_a_tier_are_merged_in_pairs_at_least(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = opened(url)
    for contact_id in IDS[:20]:
        record(ledger, Entry.ADD, [contact_id], START)
    largest = max(ledger._log.table.get_add_actions()["size_bytes"].to_pylist())
    monkeypatch.setattr(changelog, "TIERS", (0, largest + 1))

    ledger.compact(START)

    assert len(ledger._log.table.file_uris()) <= 10
    assert sorted(members(opened(url))) == IDS[:20]


def test_whose_ledger_was_claimed_meanwhile_merges_nothing(url: str) -> None:
    ledger = opened(url)
    for contact_id in IDS[:20]:
        record(ledger, Entry.ADD, [contact_id], START)
    opened(url).claim()

    with pytest.raises(LedgerUnavailable, match="another writer"):
        ledger.compact(START)

    assert len(opened(url)._log.table.file_uris()) == 20


def test_who_merges_while_another_claims_the_ledger_writes_nothing_more(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, compact = opened(url), TableOptimizer.compact
    for contact_id in IDS[:20]:
        record(ledger, Entry.ADD, [contact_id], START)

    def meanwhile(*merging: Any, **how: Any) -> Any:
        another = opened(url)
        another.claim()
        record(another, Entry.LEAVING, IDS[:1], START)
        return compact(*merging, **how)

    monkeypatch.setattr(TableOptimizer, "compact", meanwhile)

    with pytest.raises(LedgerUnavailable, match="another writer"):
        ledger.compact(START)

    assert IDS[0] not in members(opened(url))


def test_an_append_writes_what_changed_and_not_the_audience(url: str, tmp_path: Path) -> None:
    """DESIGN 6: bytes proportional to the change."""

    def size() -> int:
        return sum(file.stat().st_size for file in tmp_path.rglob("*.parquet"))

    ledger = opened(url)
    record(ledger, Entry.ADD, [f"{number:08x}-0000-4000-8000-000000000000" for number in range(50_000)], START)
    before = size()
    record(ledger, Entry.REMOVE, IDS[:5], START)

    assert size() - before < 16 * 1024


def test_of_a_first_run_a_scan_reads_the_members_and_not_who_was_asked(url: str, tmp_path: Path) -> None:
    """Full batches, of which one is acknowledged when the next is announced, in one commit."""
    everybody = [str(UUID(int=number)) for number in range(2 * bulk.MOST_IN_FLIGHT)]
    first, second = everybody[: bulk.MOST_IN_FLIGHT], everybody[bulk.MOST_IN_FLIGHT :]
    ledger = opened(url)
    ledger.claim()
    record(ledger, Entry.ASKED, first, START)
    ledger.note(Entry.ADD, first, START)
    record(ledger, Entry.ASKED, second, START)

    numbers = duckdb.execute(
        "select stats_min_value, stats_max_value from parquet_metadata(?) where path_in_schema = 'seq'",
        [f"{tmp_path}/vip/*.parquet"],
    ).fetchall()
    assert len(numbers) == 3
    assert all(lowest == highest for lowest, highest in numbers)


def test_no_id_is_in_the_transaction_log(url: str, tmp_path: Path) -> None:
    ledger = opened(url)
    for number in range(55):  # past a checkpoint
        record(ledger, Entry.ADD, [IDS[number % len(IDS)]], START)

    log = [file for file in tmp_path.rglob("_delta_log/*") if file.is_file()]
    assert any(file.suffix == ".parquet" for file in log)
    written = [way for one in IDS for way in (one.encode(), UUID(one).bytes, UUID(one).hex.encode())]
    assert not [file for file in log for way in written if way in file.read_bytes()]


@pytest.mark.parametrize("harm", ["truncate", "delete"])
def test_a_damaged_ledger_is_unavailable_and_not_empty(url: str, tmp_path: Path, harm: str) -> None:
    record(opened(url), Entry.ADD, IDS, START)
    [data] = tmp_path.rglob("*.parquet")
    data.unlink() if harm == "delete" else data.write_bytes(data.read_bytes()[:50])

    with pytest.raises(LedgerUnavailable):
        opened(url).peak(START, 30)


def test_a_ledger_of_another_layout_is_refused(url: str) -> None:
    DeltaTable.create(url, WITH_IDS_AS_TEXT)

    for opening in (opened, Ledger.existing):
        with pytest.raises(LedgerUnavailable, match="has other columns"):
            opening(url)


def named(name: str, host: str = "acme.voyado.com", kind: str = "label") -> TargetIdentity:
    return TargetIdentity(host, kind, name)


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2, unique=True))
def test_two_targets_never_share_a_ledger(names: list[str]) -> None:
    one, other = (ledger_url("file:///l", named(name)) for name in names)
    assert one != other
    assert not is_of_same_target(one, other)


def test_where_tables_lie() -> None:
    ledger = ledger_url("file:///var/l", named("attribute:VIP kunder/å"))

    assert ledger.startswith("file:///var/l/acme.voyado.com/label/vip-kunder-")
    assert waiting_url(ledger).startswith(ledger)
    assert identities_url("file:///l", "acme.voyado.com", "Member") == "file:///l/acme.voyado.com/identities/Member"
    assert identities_url("file:///l", "acme.voyado.com", None) == "file:///l/acme.voyado.com/identities/default"


@given(st.text(min_size=1))
def test_no_name_escapes_its_folder(name: str) -> None:
    for url in (ledger_url("file:///l", named(name, name, name)), identities_url("file:///l", name, name)):
        parts = url.removeprefix("file:///l/").split("/")
        assert len(parts) == 3
        assert not {".", "..", ""} & set(parts)


@pytest.mark.parametrize(
    ("spelled", "root"),
    [
        ("file:///x/ledger", "file:///x/ledger"),
        ("file:///x//ledger/", "file:///x/ledger"),
        ("file:///x/./y/../ledger", "file:///x/ledger"),
        ("s3://bucket/ledger//", "s3://bucket/ledger"),
        ("s3://bucket", "s3://bucket"),
    ],
)
def test_a_root_has_one_spelling(spelled: str, root: str) -> None:
    assert normalised_root(spelled) == root


@pytest.mark.usefixtures("small_rebases")
@pytest.mark.parametrize(("on_enter", "remembered"), [("Accept", {"declined", "remove", "gone"}), ("Add", set())])
def test_a_rebase_remembers_who_said_no_where_people_are_opted_in(
    url: str, on_enter: str, remembered: set[str]
) -> None:
    ledger = opened(url, on_enter=on_enter)
    for entry, one in zip((Entry.DECLINED, Entry.REMOVE, Entry.GONE, Entry.VOID), IDS, strict=False):
        record(ledger, entry, [one], START - timedelta(days=90))
    record(ledger, Entry.ADD, IDS[4:], START)
    ledger.compact(START)

    assert ledger._log.base, "it was rebased"
    assert {row["op"] for row in rows_of(opened(url).earlier())} == remembered


def test_what_was_announced_and_not_answered_may_be_on_the_target(url: str) -> None:
    ledger = opened(url)
    record(ledger, Entry.ADD, IDS[:2], START)
    record(ledger, Entry.LEAVING, IDS[:1], START)
    record(ledger, Entry.ASKED, IDS[2:3], START)

    assert sorted(on_target(ledger)) == [(IDS[0], "leaving"), (IDS[1], "add"), (IDS[2], "asked")]
    [asked] = [row for row in rows_of(ledger.earlier()) if row["op"] == "asked"]
    assert (asked["contact_id"], asked["wrote"]) == (IDS[2], "on")


def test_what_is_noted_is_recorded_in_one_commit(url: str) -> None:
    ledger = opened(url)
    before = ledger.version
    ledger.note(Entry.ADD, IDS[:2], START)
    ledger.note(Entry.DECLINED, IDS[2:3], START)
    ledger.note(Entry.ADD, [], START)
    assert members(opened(url)) == []

    assert [ledger.commit(), ledger.commit()] == [2, 0]
    assert ledger.version == before + 1
    assert sorted(members(opened(url))) == IDS[:2]
    assert [row["contact_id"] for row in rows_of(opened(url).earlier())] == IDS[2:3]


def test_what_could_not_be_recorded_stays_noted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = opened(url)
    ledger.note(Entry.ADD, IDS[:2], START)
    with monkeypatch.context() as patch:
        patch.setattr(changelog, "write_deltalake", _fails)
        with pytest.raises(LedgerUnavailable):
            ledger.commit()

    record(ledger, Entry.ADD, IDS[2:3], START)

    assert sorted(members(opened(url))) == IDS[:3]


def _fails(*_: object, **__: object) -> None:
    raise OSError("no space left on device")


COMMITS: dict[str, Callable[[Ledger], Any]] = {
    "entry": lambda ledger: record(ledger, Entry.LEAVING, IDS[:1], START),
    "claim": lambda ledger: ledger.claim(),
    "owner": lambda ledger: (ledger.claim(), ledger.release()),
    "rebase": lambda ledger: ledger.compact(START),
    "loss": lambda ledger: ledger.start_anew(START),
    "erasure": lambda ledger: ledger._log.rewrite(f"contact_id <> {ids.sql(IDS[0])}"),
}


@pytest.mark.usefixtures("small_rebases")
@pytest.mark.parametrize("commit", [*COMMITS.values(), lambda ledger: ledger._log.merge()], ids=[*COMMITS, "merge"])
def test_its_numbers_are_those_of_the_table_after_every_commit(
    url: str, commit: Callable[[Ledger], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delta-rs keeps no number with a merge, and lets its handle see what others have committed."""
    monkeypatch.setattr(changelog, "MOST_FILES", 1)
    ledger = opened(url)
    for half in (IDS[:15], IDS[15:]):
        record(ledger, Entry.ADD, half, START)

    commit(ledger)

    assert (ledger._log.base, ledger._log.next_seq) == (opened(url)._log.base, opened(url)._log.next_seq)
    record(ledger, Entry.LEAVING, IDS[1:2], START)
    assert (ledger._log.base, ledger._log.next_seq) == (opened(url)._log.base, opened(url)._log.next_seq)
    assert IDS[1] not in members(opened(url))


@pytest.mark.usefixtures("small_rebases")
@pytest.mark.parametrize("commit", COMMITS.values(), ids=COMMITS)
def test_whom_the_members_are_is_known_until_the_next_commit(url: str, commit: Callable[[Ledger], Any]) -> None:
    ledger = opened(url)
    record(ledger, Entry.ADD, IDS, START)
    assert ledger.members_of("f") is None
    ledger.remember("f", len(IDS))
    version = ledger.version
    ledger.remember("f", len(IDS))
    assert ledger.version == version, "it was known"
    assert opened(url).members_of("f") == len(IDS)
    assert opened(url).members_of("g") is None

    commit(opened(url))

    assert opened(url).members_of("f") is None
