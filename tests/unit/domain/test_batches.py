"""Whom a bulk update may still change."""

from datetime import UTC, datetime, timedelta

import pytest
from voyado_operator.domain.batches import PATIENCE, Announced, Batch, Group, groups
from voyado_operator.domain.delivery import Entry, Operation

T = datetime(2026, 11, 30, tzinfo=UTC)
LATER = timedelta(seconds=30)


def batch(rows: int, batch_id: str | None = "id", *, is_over: bool = False) -> Batch:
    return Batch(Operation.ADD, T, T + LATER, rows, batch_id, is_over)


def people(number: int) -> Announced:
    return Announced({str(one): None for one in range(number)})


@pytest.mark.parametrize(
    ("batches", "contacts", "until"),
    [
        ([batch(4)], 4, T + LATER + PATIENCE),
        ([batch(4, is_over=True)], 4, None),
        ([batch(4, is_over=True)], 5, T + PATIENCE),
        ([batch(4)], 5, T + LATER + PATIENCE),
        ([batch(4, None)], 4, T + PATIENCE),
        ([batch(2), batch(2, "other", is_over=True)], 4, T + LATER + PATIENCE),
    ],
    ids=["under way", "over", "over, with others", "under way, with others", "without an id", "one of two"],
)
def test_contacts_wait_until(batches: list[Batch], contacts: int, until: datetime | None) -> None:
    [group] = groups(batches)
    moment = timedelta(microseconds=1)

    assert group.may_change(people(contacts), T) == (until is not None)
    if until is not None:
        assert group.may_change(people(contacts), until - moment)
        assert not group.may_change(people(contacts), until)


@pytest.mark.parametrize(("batches", "missing"), [([batch(4)], 1), ([batch(5)], 0), ([batch(5, None)], 5)])
def test_what_is_left_when_the_named_are_over(batches: list[Batch], missing: int) -> None:
    left = Group(Operation.ADD, T, batches).unnamed(people(5))

    assert [(one.rows, one.batch_id, one.taken_at) for one in left.batches] == [(missing, None, T)][: bool(missing)]


@pytest.mark.parametrize(
    ("operation", "overruled"),
    [
        (Operation.ADD, {Entry.REMOVE, Entry.VOID, Entry.DECLINED, Entry.DOUBTED, Entry.GONE}),
        (Operation.REMOVE, {Entry.ADD}),
    ],
)
def test_to_whom_the_opposite_was_done(operation: Operation, overruled: set[Entry]) -> None:
    announced = Announced({entry.value: entry for entry in Entry} | {"nothing since": None})

    assert set(announced.overruled(operation)) == {entry.value for entry in overruled}
    assert announced.unchanged([*announced.latest, "somebody else"]) == ["nothing since"]


def test_batches_of_one_announcement_are_one_group() -> None:
    removal = Batch(Operation.REMOVE, T, T, 1, "removal")
    assert [len(one.batches) for one in groups([batch(1), removal, batch(2, "other")])] == [2, 1]
