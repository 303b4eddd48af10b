"""Cleaning, matching, comparing and holding, in a real DuckDB, against a Python model."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat
from random import Random

import pytest
from arro3.core import Array, DataType, Table
from hypothesis import given, settings
from hypothesis import strategies as st
from voyado_operator.domain.delivery import UNANSWERED, Operation
from voyado_operator.domain.errors import LedgerUnavailable, SourceFailed
from voyado_operator.domain.matching import Match, MatchStatus
from voyado_operator.domain.plan import AudienceCounts, DiffCounts
from voyado_operator.domain.standing import Standing
from voyado_operator.ledger import moment
from voyado_operator.workspace import Ambiguous, Columns, Lot, Workspace, changes
from voyado_operator.workspace.hashing import KeyedHash

from tests.component.arrow import breaking_off, rows_of, standing, table

KEY, NOW = b"a key", datetime(2026, 1, 1, tzinfo=UTC)
BOTH = Columns("contact_id", "email")
IDS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(12)]
ADDRESSES = [f"person-{number}@example.com" for number in range(12)]


def hashed(address: str) -> str:
    return KeyedHash(KEY).hexdigest(address)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace(KEY, "200MB") as opened:
        yield opened


def going(workspace: Workspace, operation: Operation) -> list[str]:
    return sorted(one for lot in Lot for page in workspace.changes(operation, lot, repeat(4)) for one in page)


@pytest.fixture(params=[3, changes.MOST_COMPARED], ids=["in parts", "at once"])
def compared(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_COMPARED", request.param)


rows_of_contacts = st.lists(st.sampled_from(IDS), max_size=12)


@pytest.mark.usefixtures("compared")
@settings(max_examples=60, deadline=None)
@given(rows=rows_of_contacts, known=st.dictionaries(st.sampled_from(IDS), st.sampled_from([None, *sorted(UNANSWERED)])))
def test_the_diff_is_the_difference_of_two_sets(rows: list[str], known: dict[str, str | None]) -> None:
    """Who may be on the target is no member, and is asked for as if it were not there, or removed."""
    audience, members = set(rows), {contact for contact, op in known.items() if op is None}
    with Workspace(KEY, "200MB") as workspace:
        workspace.stage(table(contact_id=rows), Columns("contact_id"), NOW)
        counts, diff = workspace.diff(Standing(table(contact_id=list(known), op=list(known.values()))))

        assert counts.contacts == len(audience)
        assert diff == DiffCounts(
            len(audience - members), len(known.keys() - audience), len(audience & members), len(members)
        )
        assert going(workspace, Operation.ADD) == sorted(audience - members)
        assert going(workspace, Operation.REMOVE) == sorted(known.keys() - audience)


@pytest.mark.parametrize("when", [None, "2025-12-01T00:00:00Z"], ids=["nobody", "one of them"])
@pytest.mark.parametrize("by", ["contactId", "address"])
def test_when_they_decided_is_known_of_whose_row_says_so(by: str, when: str | None, workspace: Workspace) -> None:
    named = {"contact_id": [*IDS[:3], *([] if by == "address" else IDS[3:4])]}
    rest = [None] * (4 - len(named["contact_id"]))
    rows = table(contact_id=[*named["contact_id"], *rest], email=[None] * 3 + ADDRESSES[:1], at=[None] * 3 + [when])
    workspace.stage(rows, Columns("contact_id", "email", "at"), NOW)
    workspace.identify([Match(hashed(ADDRESSES[0]), MatchStatus.MATCHED, (IDS[3],))] if by == "address" else [])

    workspace.diff(standing(IDS[4:5]))

    decided = {contact: detail.decided_at for contact, detail in workspace.details(IDS[:5]).items()}
    assert decided == dict.fromkeys(IDS[:5]) | {IDS[3]: when and datetime.fromisoformat(when)}


@settings(max_examples=60, deadline=None)
@given(ours=rows_of_contacts, theirs=rows_of_contacts, order=st.randoms())
def test_a_fingerprint_tells_audiences_apart_and_not_their_orders(
    ours: list[str], theirs: list[str], order: Random
) -> None:
    def fingerprint(rows: list[str]) -> str:
        with Workspace(KEY, "200MB") as workspace:
            workspace.stage(table(contact_id=rows), Columns("contact_id"), NOW)
            return workspace.fingerprint()

    shuffled = order.sample(ours, len(ours))
    assert fingerprint(shuffled) == fingerprint(ours)
    assert (fingerprint(theirs) == fingerprint(ours)) == (sorted(theirs) == sorted(ours))


@settings(max_examples=30, deadline=None)
@given(audience=rows_of_contacts)
def test_an_audience_that_is_known_to_be_the_members_counts_as_one_that_was_compared(audience: list[str]) -> None:
    def counted(compare: Callable[[Workspace], tuple[AudienceCounts, DiffCounts]]) -> object:
        with Workspace(KEY, "200MB") as workspace:
            workspace.stage(table(contact_id=[*audience, "nonsense"]), Columns("contact_id"), NOW)
            return compare(workspace), [going(workspace, operation) for operation in Operation], workspace.digest("")

    members = sorted(set(audience))
    assert counted(lambda here: here.same(len(members))) == counted(lambda here: here.diff(standing(members)))


cells = st.one_of(st.none(), st.sampled_from(IDS[:4]), st.just("nonsense"), st.just(""))
mails = st.one_of(st.none(), st.sampled_from(ADDRESSES[:6]), st.just("no address"))


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(cells, mails), max_size=25))
def test_every_row_is_counted_once(rows: list[tuple[str | None, str | None]]) -> None:
    """Address 0 and 1 match contacts, 2 is unknown, 3 matches two, 4 and 5 are still to be looked up."""
    answers = [
        Match(hashed(ADDRESSES[0]), MatchStatus.MATCHED, (IDS[0],)),
        Match(hashed(ADDRESSES[1]), MatchStatus.MATCHED, (IDS[9],)),
        Match(hashed(ADDRESSES[2]), MatchStatus.UNMATCHED),
        Match(hashed(ADDRESSES[3]), MatchStatus.AMBIGUOUS, (IDS[10], IDS[11])),
    ]
    with Workspace(KEY, "200MB") as workspace:
        contacts, addresses = [row[0] for row in rows], [row[1] for row in rows]
        workspace.stage(table(contact_id=contacts, email=addresses), BOTH, NOW)
        workspace.identify(answers)
        counts, _ = workspace.diff(standing([]))

        assert counts.rows == len(rows)
        told = counts.invalid + counts.unmatched + counts.ambiguous + counts.pending
        assert counts.rows == told + counts.duplicates + counts.contacts
        expected = model(rows)
        assert set(going(workspace, Operation.ADD)) == expected


def model(rows: list[tuple[str | None, str | None]]) -> set[str]:
    """The contacts of the rows, by the rules in words: contactId wins; an address with two contactIds is invalid."""
    usable = [(c if c in IDS else None, m if m in ADDRESSES else None) for c, m in rows]
    contradictory = {m for m in ADDRESSES if len({c for c, mail in usable if mail == m and c}) > 1}
    matched = {ADDRESSES[0]: IDS[0], ADDRESSES[1]: IDS[9]}
    found = {c or matched.get(m or "") for c, m in usable if m not in contradictory}
    return {one for one in found if one}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("00000001-0000-4000-8000-00000000000A", "00000001-0000-4000-8000-00000000000a"),
        ("{00000001-0000-4000-8000-00000000000a}", "00000001-0000-4000-8000-00000000000a"),
        ("\t00000001-0000-4000-8000-00000000000a\u00a0\r\n", "00000001-0000-4000-8000-00000000000a"),
        ("0000000100004000800000000000000a", None),
        ("00000001-0000-4000-8000-00000000000a; drop table x", None),
    ],
)
def test_ids_are_normalised_or_invalid(workspace: Workspace, written: str, read: str | None) -> None:
    workspace.stage(table(contact_id=[written]), Columns("contact_id"), NOW)
    counts, _ = workspace.diff(standing([]))

    assert going(workspace, Operation.ADD) == ([read] if read else [])
    assert counts.invalid == (read is None)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_ids_read_the_same_whoever_else_is_in_their_chunk(
    workspace: Workspace, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voyado_operator.workspace.staging.ROWS_PER_CHUNK", rows)
    written = [IDS[0], IDS[1].upper(), f"{{{IDS[2]}}}", "nonsense", IDS[3][:34] + "--", None, IDS[4]]
    stream = table(contact_id=written).rechunk(max_chunksize=1)

    workspace.stage(stream, Columns("contact_id"), NOW)
    counts, _ = workspace.diff(standing([]))

    assert going(workspace, Operation.ADD) == [*IDS[:3], IDS[4]]
    assert counts.invalid == 3


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (" Anna@Example.COM\n", "anna@example.com"),
        ("o'hara+tag@sub.example.co.uk", "o'hara+tag@sub.example.co.uk"),
        ("anna@example", None),
        ("anna@@example.com", None),
        ("anna b@example.com", None),
        ("a" * 250 + "@example.com", None),
    ],
)
def test_addresses_are_normalised_or_invalid(workspace: Workspace, written: str, read: str | None) -> None:
    wanted = workspace.stage(table(email=[written]), Columns(email="email"), NOW)
    counts, _ = workspace.diff(standing([]))

    assert wanted == ({hashed(read): read} if read else {})
    assert (counts.pending, counts.invalid) == ((1, 0) if read else (0, 1))


def test_only_what_is_not_remembered_is_looked_up(workspace: Workspace) -> None:
    later, earlier = NOW + timedelta(days=1), NOW - timedelta(days=1)
    remembered = Table.from_pydict(
        {
            "address_hash": Array([hashed(one) for one in ADDRESSES[:3]], type=DataType.utf8()),
            "status": Array(["matched", "unmatched", "matched"], type=DataType.utf8()),
            "contact_id": Array([IDS[0], None, IDS[2]], type=DataType.utf8()),
            "expires_at": moment.column([later, later, earlier]),
        }
    )

    workspace.recall(remembered, NOW)
    wanted = workspace.stage(table(email=ADDRESSES[:4]), Columns(email="email"), NOW)

    assert set(wanted.values()) == {ADDRESSES[2], ADDRESSES[3]}
    counts, _ = workspace.diff(standing([IDS[2]]))
    assert counts.pending == 1, "what has expired serves until there is a new answer"
    assert going(workspace, Operation.REMOVE) == []


def test_look_ups_have_a_limit(workspace: Workspace) -> None:
    wanted = workspace.stage(table(email=ADDRESSES), Columns(email="email"), NOW, lookup_limit=5)
    counts, _ = workspace.diff(standing([]))
    assert (len(wanted), counts.pending) == (5, 12)


@pytest.mark.parametrize(("ambiguous", "expected"), [(Ambiguous.SKIP, []), (Ambiguous.INCLUDE_ALL, [IDS[10], IDS[11]])])
def test_an_ambiguous_address_is_skipped_but_for_opt_outs(ambiguous: Ambiguous, expected: list[str]) -> None:
    with Workspace(KEY, "200MB", ambiguous) as workspace:
        workspace.stage(table(email=[ADDRESSES[0]]), Columns(email="email"), NOW)
        workspace.identify([Match(hashed(ADDRESSES[0]), MatchStatus.AMBIGUOUS, (IDS[10], IDS[11]))])
        counts, _ = workspace.diff(standing([]))

        assert going(workspace, Operation.ADD) == expected
        assert counts.ambiguous == 1


def test_a_missing_column_is_a_failure_that_names_it(workspace: Workspace) -> None:
    with pytest.raises(SourceFailed, match="no column 'contact_id'; its columns are id, email"):
        workspace.stage(table(id=[], email=[]), BOTH, NOW)


def test_a_column_may_be_spelled_in_another_case(workspace: Workspace) -> None:
    workspace.stage(table(CONTACT_ID=IDS[:2]), Columns("contact_id"), NOW)
    counts, _ = workspace.diff(standing([]))
    assert counts.contacts == 2


def test_an_audience_that_breaks_off_is_no_audience(workspace: Workspace) -> None:
    with pytest.raises(Exception, match="connection lost"):
        workspace.stage(breaking_off(table(contact_id=IDS), "connection lost"), Columns("contact_id"), NOW)


@pytest.mark.parametrize("is_base", [True, False], ids=["base", "changes"])
def test_members_that_break_off_are_no_members(is_base: bool, workspace: Workspace) -> None:
    workspace.stage(table(contact_id=IDS[:3]), Columns("contact_id"), NOW)
    base, since = table(contact_id=IDS, op=[None] * len(IDS)), table(contact_id=IDS[:1], op=["remove"], seq=["1"])
    broken = breaking_off(base if is_base else since, "disk lost")
    with pytest.raises(LedgerUnavailable):
        workspace.diff(Standing(broken, since) if is_base else Standing(base, broken))


def diffed(workspace: Workspace, audience: list[str], members: list[str]) -> None:
    workspace.stage(table(contact_id=audience), Columns("contact_id"), NOW)
    workspace.diff(standing(members))


def test_what_is_held_does_not_go_and_an_approval_lets_out_what_it_names(workspace: Workspace) -> None:
    diffed(workspace, IDS[:4], IDS[6:10])
    for operation in Operation:
        workspace.hold(operation)
    assert (workspace.count(Operation.ADD), workspace.count_held(Operation.REMOVE)) == (0, 4)
    assert len(rows_of(workspace.held())) == 8

    workspace.release(table(contact_id=[IDS[0], IDS[6], IDS[1], IDS[11]], op=["add", "remove", "remove", "add"]))

    assert going(workspace, Operation.ADD) == [IDS[0]], "an approved removal is not an approved addition"
    assert going(workspace, Operation.REMOVE) == [IDS[6]]


def test_the_digest_is_of_the_exact_sets_and_the_seed() -> None:
    def digest(audience: list[str], members: list[str], seed: str = "1:0") -> str:
        with Workspace(KEY, "200MB") as workspace:
            diffed(workspace, audience, members)
            return workspace.digest(seed)

    same = digest(IDS[:4], IDS[2:6])
    assert same == digest(IDS[3::-1], IDS[2:6])
    assert re.fullmatch("sha256:[0-9a-f]{64}", same)
    different = {digest(IDS[:5], IDS[2:6]), digest(IDS[:4], IDS[2:7]), digest(IDS[2:6], IDS[:4])}
    assert len({same, *different, digest(IDS[:4], IDS[2:6], "2:0")}) == 5


def test_a_sample_shows_keyed_hashes_and_no_id(workspace: Workspace) -> None:
    diffed(workspace, IDS, [])
    shown = workspace.sample(Operation.ADD)
    assert shown == [f"h:{hashed(one)[:8]}" for one in IDS[:10]]
    assert workspace.sample(Operation.REMOVE) == []


def test_hashes_are_hmacs_in_sql_too(workspace: Workspace) -> None:
    """RFC 2104, also for a key longer than a block."""
    for key in (b"short", b"long" * 40):
        with Workspace(key, "200MB") as opened:
            wanted = opened.stage(table(email=[ADDRESSES[0]]), Columns(email="email"), NOW)
        assert list(wanted) == [KeyedHash(key).hexdigest(ADDRESSES[0])]


def test_addresses_do_not_show_themselves(workspace: Workspace) -> None:
    wanted = workspace.stage(table(email=ADDRESSES), Columns(email="email"), NOW)
    assert "example" not in repr(wanted)
