"""Somebody is forgotten while a run is about to store a plan that names them."""

from pathlib import Path

import pytest
from voyado_operator.ledger import erasure
from voyado_operator.reconcile import planning

from tests.component.conftest import Install


async def test_a_plan_does_not_bring_back_who_was_forgotten_meanwhile(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = install("bulk", maxRemovals=3)
    here.select(here.people)
    await here.run()
    root, forgotten = Path(here.settings.ledger_url.removeprefix("file://")), here.people[0]
    here.select(here.people[8:])
    judge = planning.judge

    def meanwhile(*arguments: object) -> object:
        assert erasure.forget(root, forgotten).held
        return judge(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(planning, "judge", meanwhile)
        status = await here.run()

    assert status.last_run is not None
    assert (status.last_run.outcome, status.plan) == ("Failed", None)
    assert erasure.forget(root, forgotten).held == []
    status = await here.run()
    assert status.plan is not None
    assert status.plan.leaving == 7
    assert erasure.forget(root, forgotten).held == []
