"""A part of the installation goes away and comes back: a reason is shown meanwhile, and nobody has to do anything."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.world import World, ready
from tests.faults.restarting import Restarting
from tests.faults.scheduled import HOURLY, aligned

# The API server: for longer than the operator may send without having renewed its Lease.
API_SERVER_AWAY = int(os.environ.get("API_SERVER_AWAY", "22"))
ENGAGE_AWAY = int(os.environ.get("ENGAGE_AWAY", "0"))


@contextmanager
def suspended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def test_engage_is_down(world: World, people: list[str]) -> None:
    world.engage.faults({"kind": "status", "status": 503, "retryAfter": 0})
    world.select(people)

    told = world.await_status(lambda status: ready(status)["status"] == "False", seconds=60)

    # Whoever asks first finds out: the run, or the connection's probe.
    assert ready(told)["reason"] in ("EngageUnavailable", "ConnectionNotReady")
    assert "503" in ready(told)["message"]
    time.sleep(ENGAGE_AWAY)
    assert world.labelled == set(people[:20])
    world.engage.faults()
    aligned(world, people, seconds=60)


def test_engage_hangs_up_before_and_after_doing(world: World, people: list[str]) -> None:
    world.engage.faults(
        {"kind": "resetAfter", "method": "PATCH", "times": 10}, {"kind": "resetBefore", "method": "PATCH", "times": 10}
    )
    world.select(people[5:])

    aligned(world, people[5:], seconds=120)


def test_the_warehouse_dies_in_the_middle_of_a_read(world: World, people: list[str]) -> None:
    slow = f"select contact_id, email from {world.table}, pg_sleep(600)"
    world.apply(world.activation(schedule=HOURLY, audience=world.audience(slow)))
    kill = "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%'"
    while ready(world.status())["reason"] != "SourceFailed":
        world.postgres.execute(kill + " and pid <> pg_backend_pid()")

    assert world.labelled == set(people[:20])
    world.apply(world.activation(schedule=HOURLY))
    aligned(world, people[:20])


@pytest.mark.parametrize("how", ["read-only", "full"])
def test_the_ledger_volume_takes_no_more(
    world: World, restarting: Restarting, people: list[str], tmp_path: Path, how: str
) -> None:
    with volume(world.ledger, tmp_path) as make:
        make(how)
        world.select(people)
        world.await_reason("LedgerUnavailable", seconds=60)
        assert world.labelled == set(people[:20]), "what cannot be written down is not sent"

        make("well again")
        aligned(world, people)


@contextmanager
def volume(ledger: Path, spare: Path) -> Iterator[Callable[[str], None]]:
    """Put a small volume of its own in the place of the ledger's folder."""
    before = spare / "before"
    shutil.copytree(ledger, before)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", ledger], capture_output=True).returncode:
        pytest.skip("mounting a volume needs root")
    try:
        shutil.copytree(before, ledger, dirs_exist_ok=True)

        def make(how: str) -> None:
            filler = ledger / "filler"
            if how == "full":
                with pytest.raises(OSError, match="No space"):
                    filler.write_bytes(os.urandom(5 * 2**20))
            if how == "well again":
                subprocess.run(["mount", "-o", "remount,rw", ledger], check=True)
                filler.unlink(missing_ok=True)
            if how == "read-only":
                subprocess.run(["mount", "-o", "remount,ro", ledger], check=True)

        yield make
    finally:
        subprocess.run(["umount", "--lazy", ledger], check=True)


def test_the_ledger_is_deleted_while_the_operator_runs(world: World, people: list[str]) -> None:
    shutil.rmtree(world.status()["ledger"]["url"].removeprefix("file://"))
    world.select(people[5:])

    world.await_event("LedgerLost", "starts anew", seconds=30)

    world.await_status(lambda status: status.get("members") == 25)
    assert world.labelled == set(people), "nobody is removed"


def test_the_api_server_is_away(world: World, people: list[str], restarting: Restarting) -> None:
    with suspended(world.cluster.apiserver.process):
        world.select(people)
        time.sleep(API_SERVER_AWAY)  # what is tested is a time
        assert world.labelled in (set(people[:20]), set(people))
        assert restarting.running.process.poll() is None
    aligned(world, people, seconds=120)


def test_etcd_is_restarted(world: World, people: list[str], restarting: Restarting) -> None:
    world.cluster.etcd.restart()
    world.select(people)

    aligned(world, people, seconds=120)
    assert restarting.running.process.poll() is None


def test_a_withdrawal_survives_a_kill(world: World, restarting: Restarting, people: list[str]) -> None:
    world.apply(world.activation(schedule=HOURLY, deletionPolicy="Withdraw"))
    world.await_status(lambda status: status.get("observedGeneration") == 2 and ready(status)["reason"] == "Succeeded")
    world.engage.faults({"kind": "slowAnswer", "method": "PATCH", "seconds": 0.5})
    before = world.writes
    world.kubectl("delete", "segact", "vip", "--wait=false")
    while world.writes == before:
        time.sleep(0.01)
    restarting.kill()
    world.engage.faults()
    world.operator = restarting.start()

    world.kubectl("wait", "--for=delete", "segact/vip", "--timeout=60s")

    assert world.labelled == set()
