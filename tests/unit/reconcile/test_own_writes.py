"""What another run of this operator may have written at a time."""

import pytest
from voyado_operator.domain.contact import Facet
from voyado_operator.reconcile.own_writes import DONE_LATE, READ_LATE, OwnWrites, Writing

GOLD = Facet("attribute", "label_gold", value=True)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def all_of_them(clock: Clock) -> OwnWrites:
    return OwnWrites(clock)


def over(writing: Writing, *, is_settled: bool = True) -> None:
    with writing.under_way(lambda: is_settled):
        writing.begins(GOLD)


def test_what_others_in_the_tenant_write_and_not_oneself(all_of_them: OwnWrites) -> None:
    one, other, elsewhere = all_of_them.of("acme"), all_of_them.of("acme"), all_of_them.of("beta")
    other.begins(None)
    assert one.of_others(since=100) == set()

    other.begins(GOLD)

    assert one.of_others(since=100) == {GOLD}
    assert other.of_others(since=100) == elsewhere.of_others(since=100) == set()


def test_a_run_that_is_over_may_have_written_before_that(all_of_them: OwnWrites, clock: Clock) -> None:
    one, other = all_of_them.of("acme"), all_of_them.of("acme")
    over(other)
    clock.now += DONE_LATE

    assert one.of_others(since=100) == {GOLD}
    assert one.of_others(since=101 + READ_LATE) == set()


def test_what_nobody_answered_for_may_still_be_done(all_of_them: OwnWrites, clock: Clock) -> None:
    one, other = all_of_them.of("acme"), all_of_them.of("acme")
    over(other, is_settled=False)
    clock.now += DONE_LATE

    assert one.of_others(since=clock.now) == {GOLD}
    assert one.of_others(since=clock.now + 1) == set()


def cut_off(writing: Writing) -> None:
    with writing.under_way(lambda: True):
        writing.begins(GOLD)
        raise RuntimeError


def test_a_run_that_is_cut_off_may_still_be_done(all_of_them: OwnWrites, clock: Clock) -> None:
    one, other = all_of_them.of("acme"), all_of_them.of("acme")
    with pytest.raises(RuntimeError):
        cut_off(other)
    clock.now += DONE_LATE

    assert one.of_others(since=clock.now) == {GOLD}


def test_what_two_write_goes_on_until_both_are_over(all_of_them: OwnWrites, clock: Clock) -> None:
    one, first, second = (all_of_them.of("acme") for _ in range(3))
    second.begins(GOLD)
    over(first)
    clock.now += DONE_LATE

    assert one.of_others(since=clock.now) == {GOLD}


def test_what_is_written_by_oneself_is_not_another_s(all_of_them: OwnWrites) -> None:
    """In the other spelling, or as the opposite, too."""
    one, other = all_of_them.of("acme"), all_of_them.of("acme")
    other.begins(GOLD)

    one.begins(Facet("attribute", "Label_Gold", value=False))

    assert one.of_others(since=100) == set()
