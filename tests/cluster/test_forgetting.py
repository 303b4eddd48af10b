"""Somebody asks to be forgotten while the operator is in the middle of a run."""

import os
import subprocess
import sys
import time

import duckdb

from tests.cluster.world import World


def test_a_contact_is_forgotten_beside_a_running_operator(world: World) -> None:
    world.connect(bulk={"mode": "Off"})
    people = world.people(40)
    world.select(people[:20])
    world.start(world.activation())
    world.engage.faults({"kind": "slowAnswer", "method": "PATCH", "seconds": 0.2})
    forgotten, others = people[0], people[1:]
    world.select(others)
    before = world.writes
    world.annotate("vip", "requestedAt", "in the middle")
    while world.writes == before:
        time.sleep(0.01)

    done = subprocess.run(
        [sys.executable, "-m", "voyado_operator", "contact", forgotten, "--forget"],
        env=os.environ | {"VOYADO_OPERATOR_LEDGER_URL": f"file://{world.ledger}"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    world.engage.faults()
    status = world.run()
    assert (status["lastRun"]["outcome"], status["members"]) == ("Succeeded", len(others))
    assert set(others) <= world.labelled
    assert not traces(world, forgotten)


def traces(world: World, contact_id: str) -> list[str]:
    files = [file for file in world.ledger.rglob("*") if file.is_file()]
    rows = [file for file in files if file.suffix == ".parquet" and "_delta_log" not in file.parts]
    read = "select filename from read_parquet(?, union_by_name=true, filename=true) where contact_id = ?"
    return [str(file) for file in files if contact_id.encode() in file.read_bytes()] + [
        name for (name,) in duckdb.connect().execute(read, [[str(file) for file in rows], contact_id]).fetchall()
    ]
