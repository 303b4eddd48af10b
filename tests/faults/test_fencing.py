"""Two operators of one installation: only one writes to Engage and to the ledger."""

import json
import signal
import time
from datetime import UTC, datetime, timedelta

from voyado_operator.app import lease_name
from voyado_operator.settings import Settings

from tests.cluster.world import World
from tests.faults.restarting import Restarting
from tests.faults.scheduled import aligned
from tests.running import Operator


def test_an_operator_that_lost_its_node_does_not_write_when_it_comes_back(
    world: World, restarting: Restarting, people: list[str]
) -> None:
    world.engage.faults({"kind": "latency", "method": "PATCH", "seconds": 0.5})
    world.select(people[5:])
    before = world.writes
    while world.writes < before + 5:  # in the middle of a run: the removals are sent, the additions are to come
        time.sleep(0.01)
    old = restarting.running
    old.process.send_signal(signal.SIGSTOP)
    stopped_at = time.monotonic()
    world.engage.faults()

    try:
        world.operator = restarting.another()
        assert "waiting for the Lease" in awaited_in(world.operator, "waiting for the Lease")
        let_the_lease_run_out(world)
        aligned(world, people[5:])
        world.select(people)
        aligned(world, people)
        writes = world.writes
        time.sleep(max(0.0, stopped_at + 21 - time.monotonic()))  # only from then on the old one may send nothing more
    finally:
        old.process.send_signal(signal.SIGCONT)
    old.process.wait(60)
    assert "another operator has taken the Lease" in old.log.read_text()
    aligned(world, people)
    assert world.writes == writes, "not one write of the old operator arrived"


def let_the_lease_run_out(world: World) -> None:
    """As if the node had been lost ten minutes ago."""
    lease = lease_name(Settings(ledger_url=f"file://{world.ledger}"))
    renewed = (datetime.now(UTC) - timedelta(minutes=10)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    patch = json.dumps({"spec": {"renewTime": renewed}})
    world.cluster.kubectl("patch", "lease", lease, "-n", "default", "--type=merge", f"-p={patch}")


def awaited_in(operator: Operator, said: str) -> str:
    deadline = time.monotonic() + 30
    while said not in (log := operator.log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return log
