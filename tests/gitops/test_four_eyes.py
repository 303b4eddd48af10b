"""With the chart's four-eyes policies in force, approvals by Git and by a click work, and leave no difference."""

from examples.demo.shop import Shop
from tests.chart.test_four_eyes import cluster as cluster
from tests.chart.test_four_eyes import operator as operator
from tests.cluster.world import Status, World
from tests.gitops.application import VIPS, Application
from tests.gitops.watching import click

ADMIN = "admin"
"""As whom Argo CD logs in here; the policy stamps it beside the approval."""


def blocked(world: World, shop: Shop) -> Status:
    shop.pass_time("1997-12-31")
    click(world, "sync-now", VIPS)
    return world.await_reason("GuardBlocked", VIPS)


def test_an_approval_in_git(application: Application, shop: Shop) -> None:
    application.approve(VIPS, blocked(application.world, shop)["plan"]["digest"])

    application.sync()

    released = application.world.await_reason("Succeeded", VIPS)
    assert released["history"][0]["approvedBy"] == ADMIN
    application.assert_in_sync()


def test_an_approval_by_a_click(application: Application, shop: Shop) -> None:
    blocked(application.world, shop)

    click(application.world, "approve", VIPS)

    released = application.world.await_reason("Succeeded", VIPS)
    assert released["history"][0]["approvedBy"] == ADMIN
    application.assert_in_sync()
