"""A run ends with findings, whatever happens in it."""

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest
from voyado_operator.domain.errors import CredentialsInvalid, Unexpected
from voyado_operator.reconcile.findings import Findings
from voyado_operator.reconcile.progress import Tracker
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.run import Run
from voyado_operator.reconcile.slots import Slots
from voyado_operator.targets.build import identify

from tests.unit.reconcile.objects import NOW, activation, assigned


async def found(error: Exception) -> Findings:
    """The findings of a run in which reading the API key raises `error`."""

    async def secret(*_: object) -> str:
        raise error

    async def claimed(*_: object) -> None:
        return None

    assignment = assigned(activation())
    adapters = SimpleNamespace(ledger_url=lambda _: "file:///vip", share=lambda _: None)
    around = SimpleNamespace(
        adapters=adapters, cluster=SimpleNamespace(secret=secret), clock=lambda: NOW, slots=Slots(1)
    )
    nothing = cast(Any, None)
    run = Run(assignment, cast(Any, around), Registry(identify), nothing, Tracker(), lambda: False, claimed)
    return await run.execute()


async def test_an_error_with_a_reason_is_a_finding() -> None:
    findings = await found(CredentialsInvalid("there is no Secret"))
    assert (type(findings.error), findings.requests, findings.finished_at) == (CredentialsInvalid, 0, NOW)


async def test_an_error_that_nobody_foresaw_is_one_too_and_its_text_stays_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        findings = await found(ValueError("about contact 2f6b8a0e"))

    assert isinstance(findings.error, Unexpected)
    assert "ValueError" in str(findings.error)
    assert "in execute" in caplog.text
    assert "2f6b8a0e" not in caplog.text + str(findings.error)
