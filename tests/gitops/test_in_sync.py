"""The operator never makes an Application OutOfSync: what Git says and what the cluster holds stay the same.

The examples are applied as Argo CD applies them, then the real operator works on them, and after each step desired and
live are compared in the three ways that Argo CD knows: by the answer to a dry run of a server-side apply, by a
three-way merge with last-applied-configuration, and field by field without the status.
"""

from datetime import UTC, datetime

import pytest
from voyado_operator.reconcile.finalizer import WITHDRAW

from examples.demo.shop import Shop
from tests.cluster.world import GROUP, World
from tests.gitops.application import CLIENT_SIDE, SERVER_SIDE, VIPS, Application
from tests.gitops.watching import click, live

both_ways = pytest.mark.parametrize(
    "application", [SERVER_SIDE, CLIENT_SIDE], ids=["server-side", "client-side"], indirect=True
)


@both_ways
def test_aligned_audiences_are_in_sync(application: Application, shop: Shop) -> None:
    application.assert_in_sync()
    assert application.world.engage.attribute("label_vip-customers") == shop.vips()


def test_runs_by_schedule_and_by_click_are_in_sync(application: Application) -> None:
    world = application.world
    application.change(VIPS, schedule={"every": "10s"})
    application.sync()
    first = world.await_status(lambda now: now["observedGeneration"] == 2 and "nextRunTime" in now, VIPS)
    world.await_status(lambda now: now["lastRun"]["id"] != first["lastRun"]["id"], VIPS)
    application.assert_in_sync()

    click(world, "sync-now", VIPS)

    world.await_status(lambda now: "lastHandledReconcileAt" in now, VIPS)
    application.assert_in_sync()


@both_ways
def test_a_blocked_plan_and_its_approval_are_in_sync(application: Application, shop: Shop) -> None:
    world = application.world
    shop.pass_time("1997-12-31")
    click(world, "sync-now", VIPS)
    world.await_reason("GuardBlocked", VIPS)
    application.assert_in_sync()

    click(world, "approve", VIPS)

    world.await_reason("Succeeded", VIPS)
    assert world.engage.attribute("label_vip-customers") == shop.vips()
    application.assert_in_sync()


def test_an_approval_in_git_is_in_sync_and_releases_one_plan(application: Application, shop: Shop) -> None:
    world = application.world
    shop.pass_time("1997-12-31")
    click(world, "sync-now", VIPS)
    blocked = world.await_reason("GuardBlocked", VIPS)

    application.approve(VIPS, blocked["plan"]["digest"])
    application.sync()

    world.await_reason("Succeeded", VIPS)
    released = shop.vips()
    assert world.engage.attribute("label_vip-customers") == released
    application.assert_in_sync()
    shop.pass_time("1998-12-31")  # nobody is left
    click(world, "sync-now", VIPS, clock=lambda: datetime(2026, 11, 24, 9, tzinfo=UTC))
    world.await_reason("GuardBlocked", VIPS)
    application.sync()
    assert world.engage.attribute("label_vip-customers") == released
    application.assert_in_sync()


def test_what_git_suspends_and_withdraws_is_in_sync(application: Application) -> None:
    application.change(VIPS, suspend=True, deletionPolicy="Withdraw")
    application.sync()
    application.world.await_reason("Suspended", VIPS)
    application.world.await_status(lambda _: WITHDRAW in live(application.world, VIPS)["metadata"]["finalizers"], VIPS)

    application.assert_in_sync()


@both_ways
def test_what_a_click_suspends_stays_so_where_git_says_nothing_about_it(application: Application) -> None:
    click(application.world, "suspend", VIPS)
    application.world.await_reason("Suspended", VIPS)
    assert application.difference() == ""

    application.sync()

    assert live(application.world, VIPS)["spec"]["suspend"] is True


def test_what_git_says_otherwise_is_a_difference(application: Application) -> None:
    """The other way round, so that the comparison is known to see one."""
    application.change(VIPS, suspend=False)
    application.sync()
    click(application.world, "suspend", VIPS)

    assert "suspend" in application.difference()
    application.sync()
    assert application.difference() == ""


def test_a_replacement_that_drops_every_annotation_runs_nothing_again(application: Application) -> None:
    """`Replace=true`, or Flux, which takes away what kubectl has set: what was handled is remembered in the status."""
    world = application.world
    click(world, "sync-now", VIPS, clock=lambda: datetime(2026, 11, 24, 9, tzinfo=UTC))
    ran = world.await_status(lambda now: "lastHandledReconcileAt" in now, VIPS)

    world.kubectl("replace", "-f", str(application.file(VIPS)))
    await_finalizer(world)
    assert f"{GROUP}/requestedAt" not in live(world, VIPS)["metadata"]["annotations"]
    world.annotate(VIPS, "requestedAt", "2026-11-24T09:00:00Z")
    world.annotate(VIPS, "requestedAt", "later")

    again = world.await_status(lambda now: now["lastHandledReconcileAt"] == "later", VIPS)
    assert again["history"][1:] == ran["history"]


def await_finalizer(world: World) -> None:
    """A replacement drops it too; the operator has seen the new object once it is back."""
    for one in world.objects_seen(VIPS):
        if one["metadata"].get("finalizers"):
            return
    raise AssertionError("the operator did not put its finalizer back")
