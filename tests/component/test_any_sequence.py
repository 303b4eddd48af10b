"""Random sequences of audience changes, faults, kills, approvals and people's own decisions, over the real parts.

Real are the runs, the ledger, DuckDB, and Engage over HTTP; the API server is a dictionary.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.component.installation import OPT_INS, TARGETS, Installation, Killed, killed_after
from tests.engage import EngageAdmin

PEOPLE = 14
SEQUENCES = int(os.environ.get("SEQUENCES", "8"))  # of each target
FAULTS = [
    {"kind": "status", "status": 503, "retryAfter": 0, "times": 3},
    {"kind": "resetBefore", "times": 3},
    {"kind": "resetAfter", "method": "PATCH", "times": 3},
    {"kind": "resetAfter", "method": "POST", "times": 1},
    {"kind": "garbage", "method": "PATCH", "times": 2},
    {"kind": "status", "method": "PATCH", "status": 422, "times": 1},
    {"kind": "status", "status": 401, "times": 1},
]


class AnySequence(RuleBasedStateMachine):
    """Once faults stop, Engage is what the audience says, of the contacts that exist."""

    engage: EngageAdmin
    kind: str

    @initialize()
    def install(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.here = self.runner.run(self._installed())
        self.outsiders = set(self.here.people[:2])
        self.gone = set[str]()
        self.said_no, self.said_yes = set[str](), set[str]()

    async def _installed(self) -> Installation:
        return Installation(self.engage, self.kind, Path(self.folder.name), PEOPLE, maxRemovals=5)

    @rule(chosen=st.sets(st.integers(2, PEOPLE - 1)))
    def change_the_audience(self, chosen: set[int]) -> None:
        self.here.select(self.here.people[number] for number in chosen)

    @rule()
    def run(self) -> None:
        self.runner.run(self.here.run())

    @rule(fault=st.sampled_from(FAULTS))
    def break_something_and_run(self, fault: dict[str, Any]) -> None:
        self.here.engage.faults(fault)
        self.runner.run(self.here.run())
        self.here.engage.faults()

    @rule(commits=st.integers(1, 16))
    def kill_in_the_middle_of_a_run(self, commits: int) -> None:
        with killed_after(commits):
            try:
                self.runner.run(self.here.run())
                return
            except Killed:
                pass
        self.runner.run(self.here.restart())

    @rule()
    def approve_what_waits(self) -> None:
        self.runner.run(self.here.approve())

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
        elif was_opted_in and contact in self.here.ever:
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
            assert not self.here.shown() - self.here.ever - self.said_yes

    @invariant()
    def no_later_no_is_overruled(self) -> None:
        if hasattr(self, "here") and self.here.kind in OPT_INS:
            assert not self.said_no & self.here.shown()

    @invariant()
    def no_trigger_is_fired_twice_but_for_what_a_person_approved(self) -> None:
        if hasattr(self, "here") and self.here.kind == "trigger":
            assert self.here.fired_again() <= self.here.approved

    def teardown(self) -> None:
        if not hasattr(self, "here"):
            return
        self.runner.run(self.here.settle())
        self._check()
        self.runner.run(self.here.adapters.close())
        self.runner.close()
        self.folder.cleanup()

    def _check(self) -> None:
        wanted, shown = set(self.here.audience) - self.gone, self.here.shown()
        if self.here.kind == "opt-out":
            assert wanted <= shown <= self.here.ever
        elif self.here.kind in OPT_INS:
            assert shown - self.said_yes <= wanted, "whoever left is opted out"
        else:
            assert shown == wanted


@pytest.mark.parametrize("kind", TARGETS)
def test_no_sequence_breaks_it(kind: str, engage: EngageAdmin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voyado_operator.reconcile.canary.BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr("voyado_operator.reconcile.run.WORTH_REMEMBERING", 0)
    sequence = type("AnySequenceHere", (AnySequence,), {"kind": kind, "engage": engage})
    run_state_machine_as_test(
        sequence, settings=settings(max_examples=SEQUENCES, stateful_step_count=14, deadline=None)
    )
