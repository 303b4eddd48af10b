"""A ledger that is lost stays lost, whatever else happens meanwhile: nobody is opted in or fired for it again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from voyado_operator.ledger.members import Ledger
from voyado_operator.reconcile.activation import ActivationLife

from tests.component.conftest import Install
from tests.component.installation import Installation, Killed, killed_after


def damage(folder: Path) -> None:
    """An empty entry of the log, as a machine's crash leaves it."""
    kinds = ("label", "preference", "consent")
    entries = [entry for kind in kinds for entry in folder.rglob(f"{kind}/*/_delta_log/*.json")]
    max(entry for entry in entries if not entry.parent.parent.suffix).write_bytes(b"")


async def test_an_object_applied_again_finds_its_ledger_damaged(install: Install, tmp_path: Path) -> None:
    here = install("opt-in")
    [contact] = here.people[:1]
    here.select([contact])
    await here.run()
    here.decide(contact, False)
    damage(tmp_path)

    await here.apply_again()
    await here.run()

    assert here.shown() == set()


async def test_a_first_run_was_killed_and_its_ledger_damaged(install: Install, tmp_path: Path) -> None:
    here = install("trigger")
    here.select(here.people[:2])
    with killed_after(4), pytest.raises(Killed):
        await here.run()
    damage(tmp_path)
    await here.restart()

    await here.run()

    assert [here.fired_for(one) for one in here.people[:2]] == [["add"], ["add"]]


@pytest.mark.parametrize(
    ("where", "step"), [(Ledger, "found"), (ActivationLife, "_report")], ids=["all is recorded", "reporting"]
)
async def test_a_kill_does_not_lose_the_new_ledger_too(
    install: Install, monkeypatch: pytest.MonkeyPatch, where: type, step: str
) -> None:
    here = install("single")
    for number in (1, 2, 3):
        here.select(here.people[:number])
        await here.run()
    shutil.rmtree(here.ledger())
    here.select(here.people[:4])

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(where, step, die)
        with pytest.raises(Killed):
            await here.run()
    await here.restart()
    assert here.people[3] in here.shown()

    here.select(here.people[:3])
    await here.run()
    await here.run()

    assert here.shown() == set(here.people[:3])


async def test_naming_the_contact_type_does_not_overrule_a_no(install: Install) -> None:
    here = install("opt-in")
    contact, other = here.people[:2]
    here.select([contact])
    await here.run()
    here.decide(contact, False)

    here.move(contactType="Member")
    here.select([contact, other])
    await here.run()

    assert here.shown() == {other}


async def test_who_was_opted_out_is_not_opted_in_by_another_on_enter(install: Install) -> None:
    here = install("opt-out")
    contact, other = here.people[:2]
    here.select([contact])
    await here.run()
    assert here.shown() == {contact}

    here.kind = "opt-in"
    here.select([contact, other])
    await here.run()

    assert here.shown() == {other}


@pytest.mark.parametrize("kind", ["bulk", "single", "endpoint"])
@pytest.mark.parametrize("loss", [lambda here, _: shutil.rmtree(here.ledger()), lambda _, folder: damage(folder)])
async def test_whoever_was_never_there_is_new(
    install: Install, tmp_path: Path, kind: str, loss: Callable[[Installation, Path], None]
) -> None:
    here = install(kind, people=60, maxAdditions=5)
    here.select(here.people[:5])
    await here.run()
    loss(here, tmp_path)

    here.select(here.people)
    status = await here.run()
    assert here.shown() == set(here.people[:5])
    assert status.conditions[0].reason == "GuardBlocked"

    here.select(here.people[:10])
    await here.run()
    assert here.shown() == set(here.people[:10])
    here.select(here.people[:11])
    await here.run()
    assert here.shown() == set(here.people[:10]), "five have been added within the window"


async def test_members_found_again_do_not_use_up_the_window(install: Install) -> None:
    here = install("single", people=20, maxAdditions=10)
    here.select(here.people[:10])
    await here.run()
    shutil.rmtree(here.ledger())
    await here.run(hours=25)

    here.select(here.people)
    await here.run()

    assert here.shown() == set(here.people)


async def test_an_approval_uses_up_the_members_that_may_be_found_again(install: Install) -> None:
    here = install("single", people=60, maxAdditions=5)
    here.select(here.people[:5])
    await here.run()
    shutil.rmtree(here.ledger())
    here.select(here.people[:40])
    await here.run()
    await here.approve()
    assert here.shown() == set(here.people[:40])

    here.select(here.people[:46])
    await here.run()

    assert here.shown() == set(here.people[:40])
