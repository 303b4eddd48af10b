"""Which ledger is the status's own: moved, copied, put back, lost, or written to by somebody else."""

import asyncio
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from voyado_operator.api.activation_status import LedgerRef, SegmentActivationStatus
from voyado_operator.domain.trust import Trust, trust
from voyado_operator.ledger.claims import KEPT

from tests.component.conftest import Install
from tests.component.installation import OPT_INS, Installation, Killed, Warehouse, killed_after
from tests.ledgers import opened

KINDS = ["single", "trigger", "opt-in"]


def reason(status: SegmentActivationStatus) -> str:
    return status.conditions[0].reason


def root(here: Installation) -> Path:
    return Path(here.settings.ledger_url.removeprefix("file://"))


async def under(here: Installation, url: str) -> None:
    """The operator is started again with another LEDGER_URL."""
    here.settings = here.settings.model_copy(update={"ledger_url": url})
    await here.restart()


async def settled(install: Install, kind: str, **spec: Any) -> Installation:
    """Five members, the last of whom has said no since if it is an opt-in, and Withdraw, which must take nobody off."""
    here = install(kind)
    here.edit(deletionPolicy="Withdraw")
    here.select(here.people[:5])
    assert reason(await here.run()) == "Succeeded"
    if kind == "opt-in":
        here.decide(here.people[4], False)
    return here


def writes(here: Installation) -> int:
    return int(here.engage.requests()["writes"])


MOVES: dict[str, Callable[[Path], str]] = {
    "spelled otherwise": lambda old: f"file://{old.parent}//{old.name}/./",
    "moved": lambda old: f"file://{shutil.move(old, old.with_name('moved'))}",
    "copied": lambda old: f"file://{shutil.copytree(old, old.with_name('copied'))}",
    "below another folder": lambda old: f"file://{shutil.copytree(old, old.parent / 'deep' / 'deeper')}",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
async def test_a_ledger_that_was_moved_is_the_same(install: Install, kind: str, move: Callable[[Path], str]) -> None:
    here = await settled(install, kind)
    before, shown = writes(here), here.shown()

    await under(here, move(root(here)))
    status = await here.run()

    assert (reason(status), status.members) == ("Succeeded", 5)
    assert (writes(here), here.shown()) == (before, shown)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_new_root_without_the_ledger_is_a_lost_ledger(install: Install, kind: str) -> None:
    here = await settled(install, kind)
    shown = here.shown()

    await under(here, f"file://{root(here).with_name('new')}")
    status = await here.run()

    assert here.shown() == shown, "nobody is taken off, and nobody is opted in"
    assert [here.fired_for(one) for one in here.people[:5]] == [["add"] if kind == "trigger" else []] * 5
    if kind == "trigger":
        assert reason(status) == "GuardBlocked"


async def test_a_copy_that_went_its_own_way_is_no_ledger_of_ours(install: Install) -> None:
    """The operator ran under a copy for a while, and comes back to the first folder: that one is older."""
    here = await settled(install, "opt-in")
    first = root(here)
    await under(here, f"file://{shutil.copytree(first, first.with_name('copied'))}")
    here.select(here.people[:6])
    await here.run()
    here.decide(here.people[5], False)

    await under(here, f"file://{first}")
    await here.run()
    await here.run()

    assert here.shown() == set(here.people[:4])
    assert here.opened_ledger().info.epoch == 2


@pytest.mark.parametrize("runs_without", [0, 1, 3])
async def test_a_backup_that_is_put_back_later_is_rolled_back(install: Install, runs_without: int) -> None:
    """Monday the volume is lost and the operator starts anew; days later last week's backup is put back."""
    here = await settled(install, "opt-in")
    person = here.people[0]
    backup = shutil.copytree(root(here), root(here).with_name("backup"))
    here.decide(person, False)
    shutil.rmtree(root(here))
    for number in range(runs_without):
        here.select(here.people[: 6 + number])
        await here.run()
    shutil.rmtree(root(here), ignore_errors=True)
    shutil.copytree(backup, root(here))
    here.select(here.people[1:5])
    await here.run()

    here.select(here.people[:5])
    await here.run()
    await here.run()

    assert person not in here.shown()


async def test_a_ledger_rolled_back_to_what_a_lagging_status_knows_is_noticed(install: Install) -> None:
    """The run was killed before its report; but its claim was in the status before its first request left."""
    here = await settled(install, "opt-in")
    person = here.people[5]
    backup = shutil.copytree(root(here), root(here).with_name("backup"))
    here.select(here.people[:6])
    with killed_after(4), pytest.raises(Killed):
        await here.run()
    assert person in here.shown()
    here.decide(person, False)
    shutil.rmtree(root(here))
    shutil.copytree(backup, root(here))

    await here.restart()
    await here.run()
    await here.run()

    assert person not in here.shown()


async def test_the_ledger_of_a_target_that_was_left_is_missed_when_an_edit_comes_back(install: Install) -> None:
    here = install("opt-in")
    person = here.people[0]
    here.select(here.people[:3])
    await here.run()
    first = here.ledger()
    here.kind = "single"
    here.edit()
    await here.run()
    here.decide(person, False)
    shutil.rmtree(first)

    here.kind = "opt-in"
    here.edit()
    await here.run()
    await here.run()

    assert here.engage.preference("acceptsEmail")["false"] & set(here.people) == {person}


@pytest.mark.parametrize("changes", [False, True], ids=["unchanged audience", "changed audience"])
async def test_what_another_program_commits_is_noticed_at_the_next_run(install: Install, changes: bool) -> None:
    here = await settled(install, "opt-in")
    DeltaTable(here.ledger()).delete()
    if changes:
        here.select(here.people[:6])

    await here.run()
    await here.run()

    assert here.people[4] not in here.shown()
    assert here.opened_ledger().info.epoch == 2


async def test_a_cluster_built_anew_resumes_its_members_and_opts_nobody_in_over_a_no(install: Install) -> None:
    """Its status is empty, and the ledger may be a backup: it does not know the newcomer's no."""
    here = await settled(install, "opt-in")
    here.decide(here.people[5], False)
    here.select([*here.people[:4], here.people[5]])

    await here.apply_again()
    status = await here.run()

    assert here.shown() == set(here.people[:4])
    assert status.members == 4
    assert here.people[4] not in here.shown(), "who left the audience is a leaver as ever"


LOSSES: dict[str, Callable[[Installation], Any]] = {
    "lost": lambda here: asyncio.to_thread(shutil.rmtree, root(here)),
    "found without a status": Installation.apply_again,
}
each_loss = pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)


async def doubted(install: Install, kind: str, lose: Callable[[Installation], Any]) -> Installation:
    """A member; after the loss two newcomers, of whom nobody can tell whether the lost ledger knew their no."""
    here = install(kind)
    here.select(here.people[:1])
    await here.run()
    here.select(here.people[:3])
    await lose(here)
    status = await here.run()
    assert here.shown() == {here.people[0]}
    assert status.last_run is not None
    assert (status.last_run.outcome, status.last_run.declined) == ("Partial", 0)
    assert "2 held as nobody can tell since the ledger was lost" in str(status.last_run.message)
    return here


@each_loss
@pytest.mark.parametrize("kind", OPT_INS)
async def test_whose_no_a_lost_ledger_may_have_known_waits_for_an_approval(
    install: Install, kind: str, lose: Callable[[Installation], Any]
) -> None:
    here = await doubted(install, kind, lose)
    here.let_pass(hours=1)
    status = await here.run()

    assert here.shown() == {here.people[0]}
    assert reason(status) == "GuardBlocked"
    assert status.plan is not None
    assert status.plan.entering == 2
    assert "lostLedger: 2 contacts would be opted in" in status.conditions[0].message

    await here.approve()

    assert here.shown() == set(here.people[:3])
    assert reason(await here.run()) == "Succeeded"


@each_loss
async def test_a_decision_since_the_loss_lets_one_in(
    install: Install, tmp_path: Path, lose: Callable[[Installation], Any]
) -> None:
    here = await doubted(install, "opt-in", lose)
    warehouse = Warehouse(here, tmp_path)
    member, decided, other = here.people[:3]
    here.let_pass(hours=2)
    moment = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    warehouse.holds((member, None, None), (decided, None, moment), (other, None, None))
    status = await here.run()

    assert here.shown() == {member, decided}
    assert status.plan is not None
    assert status.plan.entering == 1


async def test_an_approval_of_something_else_opts_nobody_in_whose_no_was_lost(install: Install) -> None:
    here = install("opt-in", maxAdditions=1)
    here.select(here.people[:1])
    await here.run()
    here.engage.faults({"kind": "status", "method": "PATCH", "status": 503})
    shutil.rmtree(root(here))
    await here.run()
    here.engage.faults()
    here.select(here.people[:4])
    status = await here.run()
    assert status.plan is not None
    assert [one.guard for one in status.plan.blocked_by] == ["maxAdditions"]

    await here.approve()

    assert here.shown() == {here.people[0]}
    status = await here.run()
    assert status.plan is not None
    assert [one.guard for one in status.plan.blocked_by] == ["maxAdditions", "lostLedger"]


async def test_a_trigger_is_not_fired_again_by_a_cluster_built_anew(install: Install) -> None:
    here = await settled(install, "trigger")
    here.select(here.people[:7])

    await here.apply_again()
    status = await here.run()

    assert reason(status) == "GuardBlocked"
    assert [here.fired_for(one) for one in here.people[5:7]] == [[], []]
    await here.approve()
    assert [here.fired_for(one) for one in here.people[5:7]] == [["add"], ["add"]]


async def test_the_noes_of_a_ledger_that_is_not_ours_count(install: Install) -> None:
    """A ledger that was rolled back removes nobody, makes nobody a member, and still knows who said no."""
    here = await settled(install, "opt-in")
    no = here.people[4]
    here.select([*here.people[:3], no])
    await here.run()
    backup = shutil.copytree(root(here), root(here).with_name("backup"))
    here.select([*here.people[:3], no, here.people[6]])
    await here.run()
    shutil.rmtree(root(here))
    shutil.copytree(backup, root(here))

    here.edit(audience={"contactIds": [*here.people[:3], no]})
    for _ in range(3):
        await here.run()

    assert no not in here.shown()


# Marks.


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/ledger"


@pytest.mark.parametrize("claims", [0, 1, 2, KEPT - 1, KEPT, KEPT + 1, 3 * KEPT])
def test_what_a_status_has_kept_is_vouched_for_after_later_claims(url: str, claims: int) -> None:
    ledger = opened(url)
    ledger.claim()
    known = ledger.reference()

    for _ in range(claims):
        opened(url).claim()

    assert opened(url).is_vouched_for(known) is (claims < KEPT)
    assert opened(url).is_vouched_for(opened(url).reference())


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "another"},
        {"id": None},
        {"version": 99},
        {"mark": "1-0"},
        {"mark": "2-1"},
        {"mark": "-1"},
        {"mark": "x"},
        {"mark": "1"},
    ],
)
def test_what_is_not_the_ledgers_own_is_not_vouched_for(url: str, changed: dict[str, Any]) -> None:
    ledger = opened(url)
    ledger.claim()
    known = LedgerRef.model_validate(ledger.reference().model_dump() | changed)
    assert not ledger.is_vouched_for(known)


def test_a_copy_from_the_middle_of_a_claim_is_told_by_where_its_next_claim_began(url: str, tmp_path: Path) -> None:
    ledger = opened(url)
    ledger.claim()
    shutil.copytree(tmp_path / "ledger", tmp_path / "copy")
    ledger.mark_baselined()
    known = ledger.reference()
    copy = opened(f"file://{tmp_path}/copy")
    for _ in range(3):
        copy.claim()

    assert copy.version > known.version
    assert not copy.is_vouched_for(known)


@pytest.mark.parametrize(
    ("was_claimed", "is_expected", "is_vouched_for", "expected"),
    [
        (False, False, False, Trust.NEW),
        (True, False, False, Trust.RESUMED),
        (True, True, True, Trust.KNOWN),
        (True, True, False, Trust.LOST),
        (False, True, False, Trust.LOST),
    ],
)
def test_how_far_a_ledger_is_believed(
    was_claimed: bool, is_expected: bool, is_vouched_for: bool, expected: Trust
) -> None:
    found = trust(was_claimed=was_claimed, is_expected=is_expected, is_vouched_for=is_vouched_for)
    assert found is expected


async def test_a_loss_is_not_forgotten_though_nothing_was_sent_since(install: Install) -> None:
    """The run after the loss waits for an approval; then the new ledger is lost too."""
    here = await settled(install, "trigger")
    for number in range(2):
        await under(here, f"file://{root(here).with_name(f'new-{number}')}")

        status = await here.run()

        assert reason(status) == "GuardBlocked"
    assert [here.fired_for(one) for one in here.people[:5]] == [["add"]] * 5
