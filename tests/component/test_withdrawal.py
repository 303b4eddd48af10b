"""An object that is deleted with Withdraw: it takes its people off as far as it knows them, says the rest, and goes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from voyado_operator.ledger import damage

from tests.component.conftest import Install
from tests.component.installation import Installation

LOST: dict[str, Callable[[Path], object]] = {
    "gone": shutil.rmtree,
    "emptied": lambda ledger: [entry.write_bytes(b"") for entry in ledger.rglob("*.json")],
    "cut short": lambda ledger: [file.write_bytes(file.read_bytes()[:40]) for file in ledger.rglob("*.parquet")],
}
each_loss = pytest.mark.parametrize("lose", LOST.values(), ids=LOST)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damage, "SECOND_LOOK", 0.0)


def told(here: Installation) -> tuple[str, str, str]:
    return here.cluster.events[-1]


async def test_everybody_is_taken_off(install: Install) -> None:
    here = install("single")
    here.select(here.people[:9])
    await here.run()

    await here.withdraw()

    assert here.shown() == set()
    assert told(here) == ("Normal", "TargetWithdrawn", "of the target 9 contacts were taken off")


@each_loss
async def test_a_lost_ledger_holds_no_deletion_up_and_is_said(install: Install, lose: Callable[[Path], object]) -> None:
    here = install("single")
    here.select(here.people[:9])
    await here.run()
    lose(here.ledger())

    await here.withdraw()

    assert here.shown() == set(here.people[:9])
    severity, reason, message = told(here)
    assert (severity, reason) == ("Warning", "TargetRetained")
    assert message.startswith("of the target 0 contacts were taken off; 9 stay on it: the ledger file://")


async def test_nor_does_one_that_lies_damaged_below_a_root_of_before(install: Install) -> None:
    here = install("single")
    here.select(here.people[:9])
    await here.run()
    LOST["emptied"](here.ledger())
    here.settings = here.settings.model_copy(update={"ledger_url": f"{here.settings.ledger_url}-moved"})
    await here.restart()

    await here.withdraw()

    assert told(here)[:2] == ("Warning", "TargetRetained")


@each_loss
async def test_nor_does_the_lost_ledger_of_a_former_target(install: Install, lose: Callable[[Path], object]) -> None:
    here = install("single")
    here.engage.configure(attributes={"label_vip": "boolean", "label_gold": "boolean"})
    here.edit(deletionPolicy="Withdraw", guards={"maxRemovals": 0})
    here.select(here.people[:9])
    await here.run()
    here.edit(target={"label": {"name": "gold"}})
    status = await here.run()
    assert status.former_target is not None
    assert status.former_target.ledger is not None
    lose(Path(status.former_target.ledger.url.removeprefix("file://")))

    await here.withdraw()

    severity, reason, message = told(here)
    assert (severity, reason) == ("Warning", "TargetRetained")
    assert "; 9 stay on it: the ledger file://" in message
