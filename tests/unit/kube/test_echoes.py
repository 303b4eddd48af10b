"""A status write must come back by the watch."""

from voyado_operator.kube.echoes import Echoes

VIP, GOLD = "1", "2"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_has_not_come_back_is_counted_from_when_it_was_written() -> None:
    clock = Clock()
    echoes = Echoes(clock)
    echoes.shown(VIP, "7")
    echoes.shown(GOLD, "8")
    assert echoes.delay() == 0

    echoes.written(VIP, "9")
    clock.now += 10
    echoes.written(GOLD, "12")
    clock.now += 5
    assert echoes.delay() == 15
    echoes.written(VIP, "20")
    assert echoes.delay() == 15, "a later write does not hide that the first has not come back"

    echoes.shown(VIP, "8")
    assert echoes.delay() == 15, "an older version is no answer"
    echoes.shown(VIP, "9")
    assert echoes.delay() == 5
    echoes.shown(GOLD, "13")
    assert echoes.delay() == 0


def test_the_watch_may_be_faster_than_the_answer() -> None:
    echoes = Echoes(Clock())
    echoes.shown(VIP, "9")

    echoes.written(VIP, "9")

    assert echoes.delay() == 0


def test_of_an_object_that_is_gone_nothing_is_awaited() -> None:
    clock = Clock()
    echoes = Echoes(clock)
    echoes.shown(VIP, "9")
    echoes.written(VIP, "10")
    echoes.gone(VIP)
    echoes.written(VIP, "11")
    clock.now += 10

    assert echoes.delay() == 0
