"""An activation that runs every ten seconds, and what it comes to."""

from tests.cluster.world import World, ready

HOURLY = {"every": "10s"}  # an hour of the real thing, in which the waits between two runs grow just the same


def aligned(world: World, people: list[str], seconds: int = 60) -> None:
    world.await_status(
        lambda status: status.get("members") == len(people) and ready(status)["reason"] == "Succeeded", seconds=seconds
    )
    assert world.labelled == set(people)
