"""docs/ledger.md: its SQL and its scripts run against the ledger of real runs, and what it says of restores happens."""

import random
import re
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import DeltaTable, QueryBuilder
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.app import now
from voyado_operator.ledger import changelog
from voyado_operator.reconcile.surroundings import Surroundings

from tests.component.conftest import Install
from tests.component.installation import Installation

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text()
ROOT = "/var/lib/voyado-operator"
CONTACT, DAY = "2f6b8a0e-0000-4000-8000-000000000001", "2026-11-20 00:00:00+00:00"
IN_DUCKDB, IN_DATAFUSION, MEMBERS_NOW, MEMBERS_THEN, HISTORY = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
SMALL_SCRIPT, WHICH_AUDIENCES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(LEDGER,) = re.findall(rf'DeltaTable\("{ROOT}(/.*?)"\)', SMALL_SCRIPT)
ENGINES = ("DataFusion", "DuckDB")
FREELY = {"maxRemovals": "100%", "maxAdditions": 100_000, "allowEmpty": True}


def asked(here: Installation, sql: str, engine: str) -> list[dict[str, Any]]:
    query = QueryBuilder().register("stored", DeltaTable(ledger_of(here)))
    if engine == "DataFusion":
        query.execute(IN_DATAFUSION)
        return [row for batch in query.execute(sql) for row in batch.to_struct_array().to_pylist()]
    with duckdb.connect() as connection:
        connection.register("stored", query.execute("select * from stored").read_all())
        connection.execute(IN_DUCKDB)
        found = connection.sql(f"select columns(*)::varchar from ({sql})")  # a time as such asks for pytz
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def people(rows: list[dict[str, Any]]) -> set[str]:
    return {str(row["contact_id"]) for row in rows}


def run_script(script: str, here: Installation, **replaced: str) -> str:
    """As a person runs it, with their own folder and values in place of the page's."""
    for shown, real in {ROOT + LEDGER: str(ledger_of(here)), ROOT: folder(here)}.items():
        script = script.replace(shown, real)
    for shown, real in replaced.items():
        assert globals()[shown] in script
        script = script.replace(globals()[shown], real)
    done = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ledger_of(here: Installation) -> Path:
    """Also before a status tells of it."""
    identity = here.adapters.identify(here.activation(), here.connection())
    return Path(here.adapters.ledger_url(identity).removeprefix("file://"))


def folder(here: Installation) -> str:
    return here.settings.ledger_url.removeprefix("file://")


async def weeks_of_runs(here: Installation, seed: int) -> dict[datetime, set[str]]:
    """A run every two days; the members after each of them."""
    dice, members = random.Random(seed), dict[datetime, set[str]]()
    for _ in range(22):
        here.select(dice.sample(here.people, dice.randint(0, len(here.people))))
        status = await here.run(hours=dice.randint(30, 66))
        members[now() + here.passed] = here.shown()
        assert status.members == len(here.shown())
    return members


@pytest.mark.parametrize(("kind", "smallest_rebase"), [("bulk", 15), ("bulk", 10_000), ("opt-in", 40)])
async def test_who_is_and_who_was_a_member(
    install: Install, monkeypatch: pytest.MonkeyPatch, kind: str, smallest_rebase: int
) -> None:
    monkeypatch.setattr(changelog, "SMALLEST_REBASE", smallest_rebase)
    here = install(kind, **FREELY)
    days = await weeks_of_runs(here, smallest_rebase)

    rebased = bool(DeltaTable(ledger_of(here)).transaction_version("base"))
    assert rebased == (smallest_rebase < 10_000)
    lately = [day for day in days if day > now() + here.passed - timedelta(days=30)]
    assert 10 < len(lately) < len(days)
    for engine in ENGINES:
        assert people(asked(here, MEMBERS_NOW, engine)) == here.shown()
        for day in lately:
            assert people(asked(here, MEMBERS_THEN.replace(DAY, day.isoformat()), engine)) == days[day]


@pytest.mark.parametrize("engine", ENGINES)
async def test_what_happened_to_one_contact(install: Install, engine: str) -> None:
    here = install("bulk", **FREELY)
    one = here.people[0]
    for audience in ([one], [], [one]):
        here.select(audience)
        await here.run(hours=1)

    rows = asked(here, HISTORY.replace(CONTACT, one), engine)

    assert [row["op"] for row in rows] == ["asked", "add", "leaving", "remove", "asked", "add"]


async def test_the_small_script_counts_what_is_there(install: Install) -> None:
    here = install("bulk", **FREELY)
    here.select(here.people[:9])
    await here.run()

    assert "asked" in run_script(SMALL_SCRIPT, here)


async def test_which_audiences_held_a_contact_on_a_day(install: Install, tmp_path: Path) -> None:
    here = install("bulk", **FREELY)
    one, *others = here.people
    here.select([*others, one])
    await here.run()
    while_in, name = now() + here.passed, ledger_of(here).name
    here.select(others)
    await here.run(days=1)
    after = now() + here.passed

    then = {"CONTACT": one, "DAY": while_in.isoformat()}
    assert run_script(WHICH_AUDIENCES, here, **then) == f"uid/marketing/vip Add {name}\n"
    assert run_script(WHICH_AUDIENCES, here, CONTACT=one, DAY=after.isoformat()) == ""
    assert run_script(WHICH_AUDIENCES, here, CONTACT=others[0], DAY=after.isoformat()) != ""


# Restoring.


async def snapshot_and_more(here: Installation, tmp_path: Path) -> Path:
    """Nine members in the snapshot; since then two have left, and two have come, of whom one has left again."""
    here.guards |= FREELY
    here.select(here.people[:9])
    await here.run()
    shutil.copytree(folder(here), tmp_path / "snapshot")
    here.select([*here.people[2:9], *here.people[9:11]])
    await here.run()
    here.select([*here.people[2:9], here.people[9]])
    return tmp_path / "snapshot"


def restore(here: Installation, snapshot: Path) -> None:
    shutil.rmtree(folder(here))
    shutil.copytree(snapshot, folder(here))


async def test_a_status_that_knows_better_does_not_believe_an_older_ledger(install: Install, tmp_path: Path) -> None:
    here = install("bulk")
    snapshot = await snapshot_and_more(here, tmp_path)
    restore(here, snapshot)

    status = await here.run()

    assert here.shown() == set(here.people[2:11]), "nobody is removed"
    assert "the ledger was lost" in reason(status)
    assert here.opened_ledger().info.epoch == 2


async def test_a_cluster_that_is_older_than_the_ledger_goes_on_with_it(install: Install, tmp_path: Path) -> None:
    here = install("bulk")
    here.select(here.people[:9])
    await here.run()
    former = here.cluster.status
    here.select(here.people[:11])
    await here.run()
    here.cluster.status = former
    await here.restart()

    status = await here.run()

    assert status.last_run is not None
    assert (status.last_run.outcome, status.last_run.entering, status.members) == ("Succeeded", 0, 11)


async def test_objects_applied_again_go_on_with_the_restored_ledger(install: Install, tmp_path: Path) -> None:
    here = install("bulk")
    snapshot = await snapshot_and_more(here, tmp_path)
    restore(here, snapshot)
    await here.apply_again()

    status = await here.run()

    assert status.last_run is not None
    assert (status.last_run.entering, status.last_run.leaving) == (1, 2)
    nobody_knows = {here.people[10]}
    assert here.shown() == set(here.audience) | nobody_knows


async def test_no_trigger_is_fired_twice_for_who_entered_since_the_snapshot(install: Install, tmp_path: Path) -> None:
    here = install("trigger")
    restore(here, await snapshot_and_more(here, tmp_path))
    await here.apply_again()

    status = await here.run()

    assert status.conditions[0].reason == "GuardBlocked"
    assert here.fired_for(here.people[9]) == ["add"]
    assert here.fired_for(here.people[2]) == ["add"]


# Moving.


async def moved(here: Installation) -> None:
    """The same manifests in another cluster, beside a copy of the volume."""
    await here.apply_again()
    around = here.around
    here.life._around = Surroundings(around.adapters, around.cluster, around.slots, "another", around.clock)


async def test_another_cluster_is_a_stranger_until_it_takes_the_target_over(install: Install) -> None:
    here = install("opt-in", **FREELY)
    here.select(here.people[:9])
    await here.run()
    here.decide(here.people[0], False)
    here.select(here.people[1:9])
    await here.run()
    await moved(here)
    here.select(here.people[:9])
    calls = here.engage.requests()["writes"]
    assert (await here.run()).conditions[0].reason == "TargetConflict"

    here.annotations["takeOver"] = "uid/marketing/vip now"
    status = await here.run()

    assert status.conditions[0].reason == "Succeeded"
    assert here.people[0] not in here.shown(), "a no is remembered"
    assert here.engage.requests()["writes"] == calls


async def test_without_its_ledger_a_no_is_forgotten(install: Install) -> None:
    """Which is why the page warns of it."""
    here = install("opt-in", **FREELY)
    here.select(here.people[:9])
    await here.run()
    here.decide(here.people[0], False)
    shutil.rmtree(folder(here))
    await moved(here)

    await here.run()

    assert here.people[0] in here.shown()


def reason(status: SegmentActivationStatus) -> str:
    assert status.last_run is not None
    return status.last_run.message or ""
