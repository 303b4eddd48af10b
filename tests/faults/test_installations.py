"""Two installations of one cluster: one serves an object, the other leaves it alone until the first has ended."""

from pathlib import Path

from tests.cluster.world import World
from tests.faults.restarting import Restarting
from tests.faults.scheduled import aligned
from tests.running import running_operator


def test_a_second_installation_goes_on_only_when_the_first_has_ended(
    world: World, restarting: Restarting, people: list[str], tmp_path: Path
) -> None:
    first, writes = world.status()["servedBy"], world.writes
    with running_operator(world.cluster.operator_kubeconfig, tmp_path) as second:
        world.await_event("ServedElsewhere", first, seconds=30)
        world.await_event("ServedElsewhere", first, name="engage")
        assert second.metric("voyado_operator_served_elsewhere_activations") == 1
        world.select(people[5:])
        aligned(world, people[5:])
        assert world.writes == writes + 15, "five were taken off and ten added, each once"
        assert world.status()["servedBy"] == first
        assert not list((tmp_path / "ledger").rglob("_delta_log")), "the second one has written down nobody"

        restarting.running.stop()
        world.operator = second
        world.select(people[10:])

        after = world.await_status(lambda status: status.get("servedBy") != first, seconds=120)
        world.await_status(lambda status: status.get("members") == 20, seconds=120)
        assert world.labelled == set(people[5:]), "it knows nobody whom it may take off"
        assert first != after["servedBy"]
