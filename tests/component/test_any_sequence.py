"""Random sequences of audience changes, faults, kills, approvals and people's own decisions, over the real parts.

Real are the runs, the ledger, DuckDB, and Engage over HTTP; the API server is a dictionary.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from voyado_operator.api.activation import WaitingPlan
from voyado_operator.domain.delivery import Entry
from voyado_operator.ledger.members import Ledger

from tests.component.installation import OPT_INS, PEOPLE, TARGETS, Installation
from tests.engage import EngageAdmin

SEQUENCES = int(os.environ.get("SEQUENCES", "12"))  # of each target
FAULTS = [
    {"kind": "status", "status": 503, "retryAfter": 0, "times": 3},
    {"kind": "resetBefore", "times": 3},
    {"kind": "resetAfter", "method": "PATCH", "times": 3},
    {"kind": "resetAfter", "method": "POST", "times": 1},
    {"kind": "garbage", "method": "PATCH", "times": 2},
    {"kind": "status", "method": "PATCH", "status": 422, "times": 1},
    {"kind": "status", "status": 401, "times": 1},
]


class Killed(BaseException):
    """The process ends here; nothing more is written anywhere."""


@contextmanager
def killed_after(appends: int) -> Iterator[None]:
    """The process dies before, or just after, one of its next commits to the ledger."""
    original, left = Ledger.append, [appends]

    def append(self: Ledger, entry: Entry, ids: Any, *rest: Any, **more: Any) -> None:
        ids = list(ids)
        if not ids:
            return
        left[0] -= 1
        if left[0] == 0 and appends % 2:
            raise Killed
        original(self, entry, ids, *rest, **more)
        if left[0] == 0:
            raise Killed

    Ledger.append = append  # type: ignore[method-assign]
    try:
        yield
    finally:
        Ledger.append = original  # type: ignore[method-assign]


class AnySequence(RuleBasedStateMachine):
    """Once faults stop, Engage is what the audience says, of the contacts that exist."""

    @initialize()
    def install(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.here = self.runner.run(self._installed())
        self.outsiders = set(self.here.people[:2])
        self.ever = set[str]()
        self.gone = set[str]()
        self.said_no, self.said_yes = set[str](), set[str]()
        self.approved = 0

    async def _installed(self) -> Installation:
        return Installation(Path(self.folder.name))

    @rule(chosen=st.sets(st.integers(2, PEOPLE - 1)))
    def change_the_audience(self, chosen: set[int]) -> None:
        self.here.audience = [self.here.people[number] for number in sorted(chosen)]
        self.here.generation += 1
        self.ever |= set(self.here.audience)

    @rule()
    def run(self) -> None:
        self.runner.run(self.here.run())

    @rule(fault=st.sampled_from(FAULTS))
    def break_something_and_run(self, fault: dict[str, Any]) -> None:
        self.here.engage.faults(fault)
        self.runner.run(self.here.run())
        self.here.engage.faults()

    @rule(appends=st.integers(1, 6))
    def kill_in_the_middle_of_a_run(self, appends: int) -> None:
        with killed_after(appends):
            try:
                self.runner.run(self.here.run())
                return
            except Killed:
                pass
        self.runner.run(self._restart())

    async def _restart(self) -> None:
        await self.here.adapters.close()  # its sockets, as the system does for a process
        self.here.start()

    @rule()
    def approve_what_waits(self) -> None:
        if plan := self.here.life.status.plan:
            self.approve(plan)
            self.runner.run(self.here.step())

    def approve(self, plan: WaitingPlan) -> None:
        self.here.annotations["approve"] = plan.digest
        self.approved += plan.entering + plan.leaving

    @rule(number=st.integers(2, PEOPLE - 1), value=st.booleans())
    def a_person_decides(self, number: int, value: bool) -> None:
        contact = self.here.people[number]
        if self.here.kind not in OPT_INS or contact in self.gone:
            return
        was_opted_in = contact in self.here.shown()
        self.here.decide(contact, value)
        if value:
            self.said_no.discard(contact)
            self.said_yes.add(contact)
        elif was_opted_in and contact in self.ever:
            self.said_no.add(contact)

    @rule(number=st.integers(2, PEOPLE - 1))
    def a_contact_is_deleted(self, number: int) -> None:
        contact = self.here.people[number]
        if contact not in self.gone:
            self.here.engage.remove(contact)
            self.gone.add(contact)

    @invariant()
    def nobody_else_is_touched(self) -> None:
        if hasattr(self, "here"):
            assert not self.here.shown() & self.outsiders
            assert not self.here.shown() - self.ever - self.said_yes

    @invariant()
    def no_later_no_is_overruled(self) -> None:
        if hasattr(self, "here") and self.here.kind in OPT_INS:
            assert not self.said_no & self.here.shown()

    @invariant()
    def no_trigger_is_fired_twice_but_for_what_a_person_approved(self) -> None:
        if hasattr(self, "here") and self.here.kind == "trigger":
            assert self.here.fired_again() <= self.approved

    def teardown(self) -> None:
        if not hasattr(self, "here"):
            return
        self.here.generation += 1  # parked rejections of the faults are tried again
        for _ in range(12):
            status = self.runner.run(self.here.run())
            assert status.last_run is not None
            if status.plan is not None:
                self.approve(status.plan)
            elif status.last_run.outcome in ("Succeeded", "Partial") and not status.last_run.unknown:
                break
        else:
            raise AssertionError(f"it does not settle: {status.last_run}")
        self._check()
        self.runner.run(self.here.adapters.close())
        self.runner.close()
        self.folder.cleanup()

    def _check(self) -> None:
        wanted, shown = set(self.here.audience) - self.gone, self.here.shown()
        if self.here.kind == "opt-out":
            assert wanted <= shown <= self.ever
        elif self.here.kind in OPT_INS:
            assert shown - self.said_yes <= wanted, "whoever left is opted out"
        else:
            assert shown == wanted


@pytest.mark.parametrize("kind", TARGETS)
def test_no_sequence_breaks_it(kind: str, engage: EngageAdmin, monkeypatch: pytest.MonkeyPatch) -> None:
    engage.configure(attributes={"label_vip": "boolean"}, labelOperation=True)
    monkeypatch.setattr(Installation, "kind", kind, raising=False)
    monkeypatch.setattr(Installation, "engage", engage, raising=False)
    monkeypatch.setattr("voyado_operator.reconcile.canary.BETWEEN_LOOKS", 0.0)
    run_state_machine_as_test(
        AnySequence, settings=settings(max_examples=SEQUENCES, stateful_step_count=14, deadline=None)
    )
