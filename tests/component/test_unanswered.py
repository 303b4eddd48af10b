"""A change that nobody answered for may have been done, whatever becomes of the contact in later runs."""

import asyncio
from pathlib import Path

import pytest

from tests.component.installation import Installation
from tests.engage import EngageAdmin


@pytest.fixture
def here(engage: EngageAdmin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    engage.configure(attributes={"label_vip": "boolean"})
    monkeypatch.setattr("voyado_operator.reconcile.canary.BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr(Installation, "kind", "label", raising=False)
    monkeypatch.setattr(Installation, "engage", engage, raising=False)
    return Installation(tmp_path)


def test_a_label_that_was_set_without_an_answer_and_refused_later_is_still_taken_off(here: Installation) -> None:
    member, contact = here.people[:2]

    async def story() -> None:
        here.audience = [member]
        await here.run()
        here.audience = [member, contact]
        here.engage.faults({"kind": "garbage", "method": "PATCH"})
        assert (await here.run()).last_run.unknown == 1
        here.engage.faults({"kind": "status", "method": "PATCH", "status": 422})
        assert (await here.run()).last_run.rejected == 1
        here.engage.faults()
        assert here.shown() == {member, contact}, "it was done"
        here.audience = [member]
        await here.run()
        await here.adapters.close()

    asyncio.run(story())
    assert here.shown() == {member}
