"""What a click in Argo CD makes the real operator do."""

from datetime import UTC, datetime

import pytest

from tests.cluster.test_guards import members
from tests.cluster.world import CONNECTIONS, World, ready
from tests.gitops.argocd import offered
from tests.gitops.watching import click, click_on, health, live


@pytest.fixture
def people(world: World) -> list[str]:
    """Ten members; the audience has lost two of them since."""
    people = members(world, 10)
    world.select(people[:8])
    return people


def test_sync_now_runs_at_each_click(world: World, people: list[str]) -> None:
    for hour, expected in ((9, people[:8]), (10, people[:7])):
        world.select(expected)
        click(world, "sync-now", clock=lambda hour=hour: datetime(2026, 11, 24, hour, tzinfo=UTC))

        token = f"2026-11-24T{hour:02}:00:00Z"
        world.await_status(lambda status, token=token: status.get("lastHandledReconcileAt") == token)
        assert world.labelled == set(expected)


def test_approve_releases_the_plan_that_waits(world: World) -> None:
    people = members(world, 60)
    assert "approve" not in offered(live(world))
    world.select(people[:30])
    world.run()

    click(world, "approve")

    world.await_reason("Succeeded")
    assert world.labelled == set(people[:30])
    assert "approve" not in offered(live(world))
    assert health(world)["status"] == "Healthy"


def test_approving_a_plan_that_is_gone_releases_no_other(world: World) -> None:
    people = members(world, 60)
    world.select(people[:30])
    world.run()
    on_the_screen = live(world)
    world.select(people)
    world.run()
    world.select(people[40:])
    blocked = world.run()

    click_on(world, on_the_screen, "approve")

    assert ready(world.run())["reason"] == "GuardBlocked"
    assert world.status()["plan"]["digest"] == blocked["plan"]["digest"]
    assert world.labelled == set(people)


def test_suspend_and_resume(world: World, people: list[str]) -> None:
    world.start(world.activation(schedule={"every": "1h"}))
    click(world, "suspend")
    world.await_reason("Suspended")
    assert offered(live(world)) == {"resume"}
    world.select(people[:7])

    click(world, "resume")

    world.await_reason("Succeeded")
    assert world.labelled == set(people[:7])
    assert offered(live(world)) == {"sync-now", "suspend"}


def test_one_click_stops_a_whole_tenant(world: World, people: list[str]) -> None:
    click(world, "suspend", "engage", CONNECTIONS)
    world.await_reason("Suspended")
    assert offered(live(world, "engage", CONNECTIONS)) == {"resume"}

    click(world, "resume", "engage", CONNECTIONS)

    world.await_reason("Succeeded")
    assert health(world, "engage", CONNECTIONS)["status"] == "Healthy"
