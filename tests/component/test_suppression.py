"""Who was forgotten is known by a keyed hash; where that cannot be known, everybody may have been."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from voyado_operator.domain.delivery import Entry
from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.domain.forgetting import Forgotten
from voyado_operator.ledger import erasure, retention
from voyado_operator.ledger.damage import set_aside
from voyado_operator.ledger.members import Ledger
from voyado_operator.ledger.suppression import Suppression

from tests import ledgers
from tests.ledgers import record

ANNA, BERT = (str(UUID(int=number)) for number in (0xA22A, 0xBE27))
THEN = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = THEN + timedelta(hours=1)
KEY = b"key"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def suppression(root: Path) -> Suppression:
    """Of a root that has had a ledger since."""
    made = Suppression(f"file://{root}", KEY)
    made.prepare()
    ledger(root)
    return made


def ledger(root: Path, on_enter: str = "Accept", name: str = "Email-1") -> Ledger:
    kind = "label" if on_enter == "Add" else "preference"
    return ledgers.opened(f"file://{root}/tenant/{kind}/{name}", on_enter=on_enter)


def opened(root: Path, key: bytes = KEY) -> Suppression:
    return Suppression(f"file://{root}", key)


def unknown_since(root: Path, key: bytes = KEY) -> datetime | None:
    return opened(root, key).forgotten([]).unknown_since


def test_who_was_forgotten_is_known_with_the_latest_moment(suppression: Suppression) -> None:
    suppression.record({ANNA: LATER})
    suppression.record({ANNA: THEN, BERT: THEN})
    assert suppression.forgotten([ANNA, BERT, str(uuid4())]) == Forgotten({ANNA: LATER, BERT: THEN})
    assert suppression.forgotten([]) == Forgotten()


def test_nothing_of_the_ids_lies_in_it(root: Path, suppression: Suppression) -> None:
    suppression.record({ANNA: THEN})
    written = b"".join(file.read_bytes() for file in (root / "suppression").rglob("*") if file.is_file())
    assert ANNA.encode() not in written
    assert UUID(ANNA).bytes not in written


def test_a_root_without_a_ledger_never_forgot_anybody(root: Path) -> None:
    opened(root).prepare()
    ledger(root)
    assert unknown_since(root) is None


def gone(root: Path) -> None:
    shutil.rmtree(root / "suppression")


def gone_with_the_ledger_set_aside(root: Path) -> None:
    gone(root)
    [url] = [f"file://{one}" for one in erasure.tables(root)]
    set_aside(url, THEN)


def damaged(root: Path) -> None:
    set_aside(f"file://{root}/suppression", THEN)


@pytest.mark.parametrize("lost", [gone, gone_with_the_ledger_set_aside, damaged])
def test_without_the_table_everybody_may_have_been_forgotten(
    root: Path, suppression: Suppression, lost: Callable[[Path], None]
) -> None:
    before = datetime.now(UTC)
    lost(root)
    noticed = unknown_since(root)
    assert noticed is not None
    assert before <= noticed <= datetime.now(UTC)
    assert unknown_since(root) == noticed, "that stays"


def test_with_another_key_everybody_may_have_been_forgotten(root: Path, suppression: Suppression) -> None:
    suppression.record({ANNA: THEN})
    noticed = unknown_since(root, b"another")
    assert noticed is not None
    assert opened(root, b"another").forgotten([ANNA]) == Forgotten({}, noticed)
    assert unknown_since(root, b"another") == noticed
    back = unknown_since(root)
    assert back is not None
    assert back > noticed, "who was forgotten meanwhile is known under the other key"


def test_a_table_that_cannot_be_read_is_not_taken_for_an_empty_one(root: Path, suppression: Suppression) -> None:
    suppression.record({ANNA: THEN})
    max((root / "suppression" / "_delta_log").glob("*.json")).write_bytes(b"")
    with pytest.raises(LedgerUnavailable):
        suppression.forgotten([ANNA])
    with pytest.raises(LedgerUnavailable):
        suppression.record({BERT: THEN})


def test_many_write_and_notice_at_once(root: Path, suppression: Suppression) -> None:
    people = [str(uuid4()) for _ in range(12)]
    with ThreadPoolExecutor(4) as writers:
        list(writers.map(lambda one: opened(root, b"another").record({one: THEN}), people))
    found = opened(root, b"another").forgotten(people)
    assert set(found.erased) == set(people)
    assert unknown_since(root, b"another") == found.unknown_since is not None


def test_the_hash_goes_without_a_trace(root: Path, suppression: Suppression) -> None:
    suppression.record({ANNA: THEN, BERT: THEN})
    hashed = suppression._keyed.hexdigest(ANNA).encode()
    suppression.record_moment(LATER)
    suppression.record_moment(THEN)
    suppression.erase(ANNA)
    assert suppression.forgotten([ANNA, BERT]) == Forgotten({BERT: THEN}, LATER)
    assert not [file for file in root.rglob("*") if file.is_file() and hashed in file.read_bytes()]


@pytest.mark.parametrize(
    ("on_enter", "noes"),
    [
        ("Accept", {Entry.REMOVE, Entry.LEAVING, Entry.CLEARING, Entry.DECLINED, Entry.DOUBTED, Entry.GONE}),
        ("Decline", set(Entry) - {Entry.VOID}),
        ("Add", set[Entry]()),
    ],
)
def test_retention_keeps_the_noes_of_a_gone_activation(
    root: Path, suppression: Suppression, on_enter: str, noes: set[Entry]
) -> None:
    people = {entry: str(uuid4()) for entry in Entry}
    over = ledger(root, on_enter, "Sms-2")
    for entry, one in people.items():
        record(over, entry, [one], THEN)

    assert retention.remove(retention.Old(over.url, tuple(over.info.owners), over.version), suppression)

    assert Ledger.existing(over.url) is None
    assert suppression.forgotten(list(people.values())) == Forgotten({people[entry]: THEN for entry in noes})


def taken_over(found: Ledger) -> None:
    found.take_side(ledgers.side("cluster/sales/vip", "Accept"))
    found.claim()


def written_to(found: Ledger) -> None:
    record(found, Entry.ADD, [ANNA], THEN)


def claimed(found: Ledger) -> None:
    found.claim()


@pytest.mark.parametrize("meanwhile", [taken_over, written_to, claimed])
def test_a_ledger_that_is_in_use_again_stays(
    root: Path, suppression: Suppression, meanwhile: Callable[[Ledger], None]
) -> None:
    found = ledger(root, "Accept", "Sms-2")
    record(found, Entry.DECLINED, [BERT], THEN)
    old = retention.Old(found.url, tuple(found.info.owners), found.version)
    meanwhile(found)

    assert not retention.remove(old, suppression)

    assert Ledger.existing(old.url) is not None
    assert suppression.forgotten([BERT]) == Forgotten()
