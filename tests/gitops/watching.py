"""What Argo CD sees of real objects, and does to them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby

from tests.cluster.world import ACTIVATIONS, GROUP, VERSION, World
from tests.gitops import argocd
from tests.gitops.lua import Clock, Object

SERVER = "argocd-server"
"""The field manager of an action."""


def live(world: World, name: str = "vip", plural: str = ACTIVATIONS) -> Object:
    return dict(world.objects.get_namespaced_custom_object(GROUP, VERSION, world.namespace, plural, name))


def health(world: World, name: str = "vip", plural: str = ACTIVATIONS) -> dict[str, str]:
    return argocd.health(live(world, name, plural))


def watched(world: World, name: str = "vip", plural: str = ACTIVATIONS) -> Iterator[Object]:
    """Every version that comes after the present one."""
    objects = world.objects_seen(name, plural)
    next(objects)
    return objects


def story(objects: Iterable[Object]) -> list[str]:
    """The health of one object from version to version, each said once."""
    return [status for status, _ in groupby(argocd.health(one)["status"] for one in objects)]


def until(objects: Iterator[Object], status: str) -> Iterator[Object]:
    """Every version up to the first of that health."""
    for one in objects:
        yield one
        if argocd.health(one)["status"] == status:
            return
    raise AssertionError(f"it did not become {status}")


def until_handled(objects: Iterator[Object], token: str) -> Iterator[Object]:
    """Every version up to the report of the run that was asked for."""
    for one in objects:
        yield one
        if one["status"].get("lastHandledReconcileAt") == token:
            return
    raise AssertionError(f"the request {token} was not handled")


def click(world: World, action: str, name: str = "vip", plural: str = ACTIVATIONS, clock: Clock | None = None) -> None:
    """Carry out an action on the object as it is now."""
    click_on(world, live(world, name, plural), action, clock or (lambda: datetime.now(UTC)))


def click_on(world: World, seen: Object, action: str, clock: Clock = lambda: datetime.now(UTC)) -> None:
    """Carry out an action on the object as somebody sees it in the browser, perhaps not the latest."""
    assert action in argocd.offered(seen), f"{action} is greyed out"
    world.objects.patch_namespaced_custom_object(
        *(GROUP, VERSION, world.namespace, f"{seen['kind'].lower()}s", seen["metadata"]["name"]),
        argocd.patch(seen, argocd.acted(seen, action, clock)),
        field_manager=SERVER,
        _content_type="application/merge-patch+json",
    )
