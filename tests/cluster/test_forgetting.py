"""Somebody asks to be forgotten while the operator is in the middle of a run."""

import os
import re
import subprocess
import sys
import time
from uuid import UUID

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
        env=os.environ
        | {
            "VOYADO_OPERATOR_LEDGER_URL": f"file://{world.ledger}",
            "KUBECONFIG": str(world.cluster.operator_kubeconfig),
        },
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    world.engage.faults()
    status = world.run()
    assert (status["lastRun"]["outcome"], status["members"]) == ("Succeeded", len(others))
    assert set(others) <= world.labelled
    assert traces(world, others[0])
    assert not traces(world, forgotten)


def traces(world: World, contact_id: str) -> list[str]:
    written = contact_id.encode(), UUID(contact_id).bytes
    files = [file for file in world.ledger.rglob("*") if file.is_file()]
    others = re.compile(r"/_delta_log/|/suppression/|\.batches/")  # which have no contactIds in columns
    rows = [str(file) for file in files if file.suffix == ".parquet" and not others.search(str(file))]
    read = "select filename from read_parquet(?, filename=true) where try_cast(contact_id as uuid) = ?::uuid"
    return [str(file) for file in files if any(one in file.read_bytes() for one in written)] + [
        name for one in rows for (name,) in duckdb.connect().execute(read, [[one], contact_id]).fetchall()
    ]
