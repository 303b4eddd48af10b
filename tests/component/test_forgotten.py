"""To be forgotten opts nobody in."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from voyado_operator.cli.exit_codes import DONE
from voyado_operator.cli.forgetting import Trace, _forget
from voyado_operator.ledger.suppression import Suppression

from tests.component.conftest import Install
from tests.component.installation import OPT_INS, Installation, Warehouse

KEY = b"key"  # as the installation's


def root(here: Installation) -> Path:
    return Path(here.settings.ledger_url.removeprefix("file://"))


def forget(here: Installation, contact: str, trace: Trace = Trace.HASH) -> None:
    assert _forget(root(here), contact, trace, Suppression(here.settings.ledger_url, KEY)) == DONE


def rows(here: Installation, decided: datetime) -> list[tuple[str, None, str]]:
    """Everybody, who all decided at about that time."""
    return [(one, None, (decided + timedelta(milliseconds=n)).isoformat()) for n, one in enumerate(here.people)]


def without_trace(here: Installation, contact: str) -> None:
    forget(here, contact, Trace.MOMENT)


def and_the_table_is_deleted(here: Installation, contact: str) -> None:
    forget(here, contact)
    shutil.rmtree(root(here) / "suppression")


def and_the_key_is_another(here: Installation, contact: str) -> None:
    forget(here, contact)
    here.adapters._hash_key = b"another"


def and_the_table_is_damaged(here: Installation, contact: str) -> None:
    forget(here, contact)
    max((root(here) / "suppression" / "_delta_log").glob("*.json")).write_bytes(b"")


WAYS = [forget, without_trace, and_the_table_is_deleted, and_the_key_is_another, and_the_table_is_damaged]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", OPT_INS)
async def test_a_person_who_said_no_and_was_forgotten_is_opted_in_only_by_a_newer_decision(
    install: Install, tmp_path: Path, kind: str, way: Callable[[Installation, str], None]
) -> None:
    here = install(kind, 4)
    warehouse = Warehouse(here, tmp_path)
    anna, others = here.people[0], here.people[1:]
    here.decide(anna, True)
    warehouse.holds(*((one, None, None) for one in here.people))
    await here.run()
    here.decide(anna, False)
    warehouse.holds(*((one, None, None) for one in others))
    await here.run()
    warehouse.holds(*((one, None, None) for one in here.people))
    status = await here.run()
    assert status.last_run is not None
    assert here.shown() == set(others), "declined"

    way(here, anna)
    status = await here.run()
    assert status.last_run is not None
    assert (status.last_run.outcome, status.last_run.declined) == ("Succeeded", 1)
    assert here.shown() == set(others)

    forgotten_later = datetime.now(UTC) + timedelta(seconds=1)
    warehouse.holds(*rows(here, forgotten_later))
    await here.run(minutes=5)
    assert here.shown() == set(here.people)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("seconds", "is_opted_in"), [(-3600, False), (3600, True)])
async def test_a_decision_counts_from_the_erasure_on(
    install: Install, tmp_path: Path, way: Callable[[Installation, str], None], seconds: int, is_opted_in: bool
) -> None:
    """Bert never said anything but was forgotten, and the row's yes is older or newer than that."""
    here = install("opt-in", 3)
    warehouse = Warehouse(here, tmp_path)
    bert, others = here.people[0], here.people[1:]
    warehouse.holds(*((one, None, None) for one in others))
    await here.run()
    way(here, bert)
    decided = datetime.now(UTC) + timedelta(seconds=seconds)
    warehouse.holds(*rows(here, decided))

    await here.run(hours=2)

    assert (bert in here.shown()) == is_opted_in
    assert set(others) <= here.shown()


@pytest.mark.parametrize(
    ("created", "is_opted_in"),
    [("2020-01-01T00:00:00Z", False), ("2099-01-01T00:00:00Z", True), (None, False), ("yesterday", False)],
)
@pytest.mark.parametrize("kind", OPT_INS)
async def test_who_came_after_an_erasure_without_a_trace_was_not_forgotten(
    install: Install, kind: str, created: str | None, is_opted_in: bool
) -> None:
    here = install(kind, 3)
    here.engage.seed([{"id": one, "createdOn": created} for one in here.people])
    here.select(here.people[:1])
    await here.run()
    assert here.shown() == set(here.people[:1]), "before anybody was forgotten"
    without_trace(here, here.people[1])
    here.select(here.people)

    await here.run()

    assert here.shown() == (set(here.people) if is_opted_in else set(here.people[:1]))


async def test_an_opt_out_and_a_label_wait_for_no_decision(install: Install) -> None:
    """Not even for the table."""
    for kind in ("opt-out", "single"):
        here = install(kind, 3)
        here.select(here.people[:1])
        await here.run()
        and_the_table_is_damaged(here, here.people[1])
        here.select(here.people)
        status = await here.run()
        assert status.last_run is not None
        assert status.last_run.outcome == "Succeeded"
        assert here.shown() == set(here.people)
