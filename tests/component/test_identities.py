"""Remembered matches and waiting plans, on a real file system."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from arro3.core import Table
from voyado_operator.domain.matching import Match, MatchStatus, believed_until
from voyado_operator.domain.plan import WaitingPlan
from voyado_operator.ledger import changelog
from voyado_operator.ledger.identities import Identities
from voyado_operator.ledger.waiting import WaitingPlans

from tests.component.arrow import rows_of, table

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANNA, BERT = (f"{number:08x}-0000-4000-8000-000000000000" for number in range(2))


@pytest.fixture
def identities(tmp_path: Path) -> Identities:
    return Identities(f"file://{tmp_path}/identities")


def remembered(identities: Identities) -> set[tuple[object, object, object]]:
    with identities.remembered() as found:
        return {(row["address_hash"], row["status"], row["contact_id"]) for row in rows_of(found)}


def test_the_latest_answer_counts(identities: Identities) -> None:
    later = NOW + timedelta(days=1)
    identities.remember([(Match("h1", MatchStatus.UNMATCHED), later), (Match("h2", MatchStatus.INVALID), later)], NOW)
    identities.remember([(Match("h1", MatchStatus.MATCHED, (ANNA,)), later)], NOW)

    assert remembered(identities) == {("h1", "matched", ANNA), ("h2", "invalid", None)}


def test_an_ambiguous_address_has_a_row_per_contact(identities: Identities) -> None:
    identities.remember([(Match("h1", MatchStatus.AMBIGUOUS, (ANNA, BERT)), NOW)], NOW)
    assert remembered(identities) == {("h1", "ambiguous", ANNA), ("h1", "ambiguous", BERT)}


def test_what_is_long_expired_goes_with_a_rebase(identities: Identities, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "SMALLEST_REBASE", 1)
    identities.remember([(Match("old", MatchStatus.UNMATCHED), NOW - timedelta(days=31))], NOW)
    identities.remember([(Match("new", MatchStatus.UNMATCHED), NOW), (Match("n2", MatchStatus.UNMATCHED), NOW)], NOW)

    assert {address for address, _, _ in remembered(identities)} == {"new", "n2"}


def test_activations_that_share_a_tenant_do_not_hinder_each_other(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/shared"

    def remember(writer: int) -> None:
        mine = Identities(url)
        for number in range(3):
            mine.remember([(Match(f"{writer}-{number}", MatchStatus.MATCHED, (ANNA,)), NOW)], NOW)

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(remember, range(4)))

    assert {address for address, _, _ in remembered(Identities(url))} == {
        f"{writer}-{number}" for writer in range(4) for number in range(3)
    }


@pytest.mark.parametrize(
    ("status", "least", "most"),
    [(MatchStatus.MATCHED, 5.6, 7), (MatchStatus.UNMATCHED, 0.8, 1), (MatchStatus.AMBIGUOUS, 0.8, 1)],
)
def test_answers_are_believed_for_a_time_with_jitter(status: MatchStatus, least: float, most: float) -> None:
    assert believed_until(status, NOW, 0.0) == NOW + timedelta(days=most)
    assert believed_until(status, NOW, 1.0) == NOW + timedelta(days=least)


PLAN = WaitingPlan(
    digest="sha256:d",
    uid="uid",
    generation=3,
    entering=1,
    leaving=1,
    blocked_by=(("maxRemovals", "too many"),),
    created_at=NOW,
    expires_at=NOW + timedelta(hours=24),
)


def changes(*pairs: tuple[str, str]) -> Table:
    contacts, operations = zip(*pairs, strict=True)
    return table(contact_id=contacts, op=operations)


@pytest.fixture
def plans(tmp_path: Path) -> WaitingPlans:
    return WaitingPlans(f"file://{tmp_path}/vip.waiting")


def test_a_plan_waits_with_its_sets(plans: WaitingPlans, tmp_path: Path) -> None:
    assert plans.load() is None

    plans.store(PLAN, changes((ANNA, "add"), (BERT, "remove")))

    again = WaitingPlans(f"file://{tmp_path}/vip.waiting")
    assert again.load() == PLAN
    assert {(row["contact_id"], row["op"]) for row in rows_of(again.changes())} == {(ANNA, "add"), (BERT, "remove")}


def test_an_approval_is_remembered(plans: WaitingPlans) -> None:
    plans.store(PLAN, changes((ANNA, "add")))
    plans.mark_approved()
    loaded = plans.load()
    assert loaded is not None
    assert loaded.approved


@pytest.mark.parametrize("how", ["drop", "replace"])
def test_nothing_of_a_plan_outlives_it(plans: WaitingPlans, tmp_path: Path, how: str) -> None:
    plans.store(PLAN, changes((ANNA, "add")))
    assert any(ANNA.encode() in file.read_bytes() for file in tmp_path.rglob("*.parquet"))

    if how == "drop":
        plans.drop()
        assert plans.load() is None
    else:
        plans.store(PLAN, changes((BERT, "add")))

    assert not [file for file in tmp_path.rglob("*") if file.is_file() and ANNA.encode() in file.read_bytes()]
