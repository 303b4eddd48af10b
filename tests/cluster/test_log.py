"""The log of a whole operator: a line at INFO for every run that it counts, and none besides."""

import json
from typing import Any

from tests.cluster.world import World


def test_every_run_is_one_line(world: World) -> None:
    people = world.people(30)
    world.connect()
    world.select(people)
    world.start(world.activation(deletionPolicy="Withdraw"))
    world.select(people[:27])
    world.run()
    world.select([])
    world.run()  # blocked
    world.run()
    counted = {outcome: world.metric("voyado_activation_runs_total", outcome=outcome) for outcome in OUTCOMES}
    world.kubectl("delete", "segact", "vip")

    lines = [json.loads(line) for line in world.operator.log.read_text().splitlines()]
    told = [line for line in lines if is_about(line, world) and line["level"] == "INFO"]
    *runs, withdrawal = told
    assert {outcome: [line["outcome"] for line in runs].count(outcome) for outcome in OUTCOMES} == counted
    assert counted == {"Succeeded": 2, "Blocked": 2}
    assert len({line["run"] for line in runs}) == 4
    assert withdrawal["message"] == "Withdrawn: of the target 27 contacts were taken off"


OUTCOMES = ("Succeeded", "Blocked")


def is_about(line: dict[str, Any], world: World) -> bool:
    return str(line.get("activation", "")).startswith(f"{world.namespace}/")
