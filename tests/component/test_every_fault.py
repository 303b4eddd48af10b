"""Every fault, on every route to every kind of target; docs/reliability.md has the matrix.

Some contacts leave and as many enter while something is broken; then the audience changes again, also for contacts of
which nobody knows what became, and once nothing is broken any more Engage is what the audience says.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator, Set
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.domain.delivery import UNANSWERED
from voyado_operator.reconcile.conditions import ready_of
from voyado_operator.reconcile.lanes import LANES
from voyado_operator.targets.bulk import FEWEST_ROWS

from tests.component.arrow import members
from tests.component.installation import (
    CHANGES_PER_BATCH,
    OPT_INS,
    TARGETS,
    Installation,
    Killed,
    killed_at,
)
from tests.engage import EngageAdmin

WRITING = ("PATCH", "POST", "PUT", "DELETE")
FAULTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "engage is down": ({"kind": "status", "status": 503, "retryAfter": 0}, {"EngageUnavailable"}),
    "engage throttles": ({"kind": "status", "status": 429, "retryAfter": 0}, {"EngageUnavailable"}),
    "engage fails": ({"kind": "status", "status": 500}, {"EngageUnavailable", "PartiallyApplied"}),
    "hangs up before doing": ({"kind": "resetBefore"}, {"EngageUnavailable", "PartiallyApplied"}),
    "hangs up after doing": ({"kind": "resetAfter"}, {"EngageUnavailable", "PartiallyApplied"}),
    "answers too late": ({"kind": "slowAnswer", "seconds": 0.6}, {"EngageUnavailable", "PartiallyApplied"}),
    "answers unreadably": ({"kind": "garbage"}, {"EngageUnavailable", "PartiallyApplied"}),
    "refuses": ({"kind": "status", "status": 422}, {"EngageUnavailable", "PartiallyApplied"}),
    "key revoked": ({"kind": "status", "status": 401}, {"CredentialsInvalid"}),
}


RECORDED = {"add", "remove", "gone"}
# What the commit has that it is killed at, and whether that is on disk then.
KILLED_AT = {
    "unannounced": (UNANSWERED, False),
    "announced": (UNANSWERED, True),
    "unrecorded": (RECORDED, False),
    "recorded": (RECORDED, True),
}


def moving(kind: str) -> int:
    """How many contacts enter and leave at a time."""
    return FEWEST_ROWS + 1 if kind == "bulk" else 4


every_target = pytest.mark.parametrize("kind", TARGETS)


@pytest.fixture
def here(
    kind: str, engage: EngageAdmin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[asyncio.Runner, Installation]]:
    """An installation whose first audience is on the target."""
    monkeypatch.setattr("voyado_operator.reconcile.canary.BETWEEN_LOOKS", 0.0)

    async def installed() -> Installation:
        some = moving(kind)
        installation = Installation(engage, kind, tmp_path / "ledger", people=2 * some + 6, maxRemovals="100%")
        installation.select(installation.people[2 : some + 4])
        await installation.settle()
        assert installation.shown() == set(installation.audience)
        return installation

    with asyncio.Runner() as runner:
        installation = runner.run(installed())
        yield runner, installation
        runner.run(installation.ends())


@every_target
@pytest.mark.parametrize("fault", FAULTS)
def test_engage(here: tuple[asyncio.Runner, Installation], fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runner, installation = here
    what, reasons = FAULTS[fault]
    installation.answers_within(0.2)
    installation.engage.faults(*({"method": method, **what} for method in WRITING))
    change(installation)

    status = runner.run(installation.run())

    is_accounted_for(installation, status)
    assert reason(status) in reasons
    becomes_aligned(runner, installation)


@every_target
def test_lease_lost(here: tuple[asyncio.Runner, Installation]) -> None:
    runner, installation = here
    looks = chain(repeat(True, 2), repeat(False))  # before the head and before the body of each request
    installation.may_write = looks.__next__
    change(installation)
    before = installation.engage.requests()["writes"]

    status = runner.run(installation.run())

    assert reason(status) == "LedgerUnavailable"
    assert installation.engage.requests()["writes"] - before <= 2
    is_accounted_for(installation, status)
    installation.may_write = lambda: True
    becomes_aligned(runner, installation)


@every_target
@pytest.mark.parametrize(("entries", "is_written"), KILLED_AT.values(), ids=KILLED_AT)
def test_killed(here: tuple[asyncio.Runner, Installation], kind: str, entries: Set[str], is_written: bool) -> None:
    """At the first of such commits in a run."""
    runner, installation = here
    change(installation)
    before = installation.engage.requests()["writes"]
    killed = killed_at(lambda rows: not entries.isdisjoint(rows["op"].to_pylist()), is_written=is_written)
    with killed, pytest.raises(Killed):
        runner.run(installation.run())
    runner.run(installation.restart())

    runner.run(installation.settle())

    operations = 1 if kind == "opt-out" else 2  # it keeps the no of those who leave
    changes = operations * (1 if kind == "bulk" else moving(kind))
    assert installation.engage.requests()["writes"] - before <= changes + LANES * CHANGES_PER_BATCH
    is_aligned(installation)
    becomes_aligned(runner, installation)


def change(installation: Installation) -> None:
    some = moving(installation.kind)
    installation.select(installation.people[some + 2 : 2 * some + 4])


def deleted(ledger: Path) -> None:
    shutil.rmtree(ledger)


def truncated(ledger: Path) -> None:
    for file in ledger.glob("*.parquet"):
        file.write_bytes(file.read_bytes()[:100])


DAMAGES = [deleted, truncated]


@every_target
@pytest.mark.parametrize("damage", DAMAGES)
def test_ledger_lost(here: tuple[asyncio.Runner, Installation], kind: str, damage: Callable[[Path], None]) -> None:
    runner, installation = here
    members = installation.shown()
    damage(installation.ledger())
    change(installation)

    status = runner.run(installation.run())

    assert members <= installation.shown(), "nobody is removed"
    if kind == "trigger":
        assert reason(status) == "GuardBlocked"
    if kind in OPT_INS or kind == "trigger":
        assert installation.shown() == members, "nobody is added"
    else:
        assert installation.shown() == members | set(installation.audience)


def reason(status: SegmentActivationStatus) -> str:
    ready = ready_of(status.conditions)
    assert ready is not None
    return ready.reason


def is_accounted_for(installation: Installation, status: SegmentActivationStatus) -> None:
    """Whoever the ledger has as a member is on the target, and nobody is counted twice."""
    run, ledger = status.last_run, installation.opened_ledger()
    assert run is not None
    assert run.accepted + run.adopted + run.declined + run.rejected + run.unknown <= run.entering + run.leaving
    recorded = members(ledger)
    assert set(recorded) <= installation.shown()
    assert status.members == len(recorded) == len(set(recorded))


def becomes_aligned(runner: asyncio.Runner, installation: Installation) -> None:
    """Some who were just to enter leave, some who were just to leave enter."""
    people, some = installation.people, moving(installation.kind)
    once_more, newest = people[2 : 2 + some // 4], people[2 * some + 2 :]
    installation.select([*once_more, *people[some + 4 : some + 4 + some // 3], *newest])
    runner.run(installation.settle())
    is_aligned(installation)


def is_aligned(installation: Installation) -> None:
    wanted, shown = set(installation.audience), installation.shown()
    assert installation.fired_again() <= installation.approved
    if installation.kind in OPT_INS:  # whoever has left was opted out, and does not come back by re-entering
        assert wanted - set(installation.people[2 : moving(installation.kind) + 2]) <= shown <= wanted
    elif installation.kind == "opt-out":
        assert wanted <= shown <= installation.ever
    else:
        assert shown == wanted
