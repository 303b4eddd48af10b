"""Somebody empties the status of an object that waits: it is there again, in whichever way it was emptied."""

import json
from typing import Any

import pytest

from tests.cluster.world import ACTIVATIONS, CONNECTIONS, World, ready

EMPTIED: dict[str, dict[str, Any]] = {
    "all": {"status": None},
    "the conditions": {"status": {"conditions": None}},
    "with another generation": {"status": {"conditions": None, "observedGeneration": 7}},
}


@pytest.mark.parametrize("emptied", EMPTIED.values(), ids=EMPTIED)
def test_it_is_there_again(world: World, emptied: dict[str, Any]) -> None:
    world.select(world.people(3))
    world.connect()
    world.start(world.activation())
    world.apply(
        world.activation("younger"),
        world.activation("suspended", target={"label": {"name": "gold"}}, suspend=True),
        world.activation("alone", target={"label": {"name": "new"}}, connectionRef={"name": "nothing"}),
        world.connection("paused", suspend=True),
    )
    waiting = {
        ("younger", ACTIVATIONS): "TargetConflict",
        ("suspended", ACTIVATIONS): "Suspended",
        ("alone", ACTIVATIONS): "ConnectionNotReady",
        ("paused", CONNECTIONS): "Suspended",
        ("vip", ACTIVATIONS): "Succeeded",
        ("engage", CONNECTIONS): "Succeeded",
    }
    for one, reason in waiting.items():
        before = world.await_reason(reason, *one)

        world.kubectl("patch", one[1], one[0], "--subresource=status", "--type=merge", "-p", json.dumps(emptied))

        after = world.await_status(lambda status: bool(ready(status)), *one, seconds=10)
        assert after == before


def test_a_withdrawal_that_waits_says_so_again(world: World) -> None:
    world.select(world.people(3))
    world.connect()
    world.start(world.activation(deletionPolicy="Withdraw"))
    world.engage.faults({"kind": "status", "method": "PATCH", "status": 503, "retryAfter": 0})
    world.kubectl("delete", "segact", "vip", "--wait=false")
    world.await_reason("EngageUnavailable")

    world.kubectl("patch", "segact", "vip", "--subresource=status", "--type=merge", "-p", '{"status": null}')

    world.await_reason("EngageUnavailable")
    world.engage.faults()
    world.kubectl("wait", "--for=delete", "segact/vip", "--timeout=60s")
