"""Random sequences of audience changes, faults, kills, approvals and people's own decisions, over the real parts.

Real are the runs, the ledger, DuckDB, and Engage over HTTP; the API server is a dictionary.
"""

import asyncio
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from prometheus_client import CollectorRegistry
from voyado_operator.adapters import OperatorAdapters
from voyado_operator.api.activation import SegmentActivation, SegmentActivationStatus
from voyado_operator.api.common import Kind, Metadata
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.app import now
from voyado_operator.domain.delivery import Entry
from voyado_operator.engage.pool import EngagePool
from voyado_operator.engage.transport import Patience
from voyado_operator.ledger.members import Ledger
from voyado_operator.reconcile.activation import ActivationLife
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.settings import Settings
from voyado_operator.telemetry.metrics import Metrics

from tests.engage import EngageAdmin
from tests.unit.reconcile.objects import connection, metadata

PEOPLE = 14
SEQUENCES = int(os.environ.get("SEQUENCES", "12"))  # of each target
HURRY = Patience(attempts=2, first_wait=0.001, longest_wait=0.002, total=5)
GOVERNANCE = {"owner": "crm", "purpose": "newsletter", "legalBasis": "Consent", "sourceOfTruth": "Acknowledged"}
TARGETS: dict[str, dict[str, Any]] = {
    "label": {"label": {"name": "vip"}},
    "trigger": {"label": {"name": "vip"}},
    "opt-in": {"preference": {"channel": "Email", "onEnter": "Accept", "onExit": "Decline"}},
    "endpoint": {"label": {"name": "vip"}},
    "consent": {"consent": {"id": "memberTerms", "onEnter": "Accept", "onExit": "Decline"}},
    "opt-out": {"preference": {"channel": "Email", "onEnter": "Decline", "onExit": "Keep"}},
}
CALL = "/api/v3/contacts/{contactId}/labels/{label}"
ROUTES: dict[str, dict[str, Any]] = {
    "trigger": {"customTrigger": {"triggerId": "sync"}},
    "endpoint": {"endpoint": {"add": {"method": "PUT", "path": CALL}, "remove": {"method": "DELETE", "path": CALL}}},
}
OPT_INS = ("opt-in", "consent")
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


class Dictionary:
    """As much of an API server as one activation needs."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key
        self.status: dict[str, Any] = {}

    async def secret(self, *_: object) -> str:
        return self._api_key

    async def apply_status(self, kind: Kind, metadata: Metadata, status: dict[str, Any]) -> None:
        self.status = status

    async def exists(self, *_: object) -> bool:
        return True

    async def event(self, *_: object) -> None:
        return None


class Installation:
    """One activation with its operator, which can be killed and started again."""

    engage: EngageAdmin
    kind: str

    def __init__(self, folder: Path) -> None:
        self.people = [str(uuid.uuid4()) for _ in range(PEOPLE)]
        self.engage.seed([{"id": one} for one in self.people])
        self.audience = list[str]()
        self.generation = 1
        self.annotations = dict[str, str]()
        self.cluster = Dictionary(self.engage.api_key)
        self.settings = Settings(ledger_url=f"file://{folder}", engage_hosts=("127.0.0.1",))
        self.start()

    def start(self) -> None:
        """A new process: everything in memory is what the API server and the ledger say."""
        metrics = Metrics(CollectorRegistry())
        self.adapters = OperatorAdapters(self.settings, b"key", metrics, lambda: True)
        self.adapters._pool = EngagePool(metrics, "0", lambda: True, HURRY)
        around = Surroundings(self.adapters, cast(Any, self.cluster), asyncio.Semaphore(1), "uid", now)
        self.registry = Registry(self.adapters.identify)
        self.registry.connection_seen(self.connection())
        self.registry.activation_seen(self.activation())
        watched = self.registry.activations[self.activation().metadata.key]
        self.life = ActivationLife(watched, around, self.registry, metrics, is_stopping=lambda: False)

    def connection(self) -> VoyadoConnection:
        labels = ROUTES.get(self.kind, {"attribute": {"idTemplate": "label_{label}"}})
        return connection(url=self.engage.url, labels=labels, requestsPerSecond=200)

    def activation(self) -> SegmentActivation:
        described = metadata("vip", 1, self.generation, self.annotations)
        spec: dict[str, Any] = {
            "connectionRef": {"name": "engage"},
            "audience": {"contactIds": self.audience},
            "target": TARGETS[self.kind],
            "schedule": {"every": "1h"},
            "guards": {"allowEmpty": True, "maxRemovals": 5, "maxAdditions": 1000},
            "governance": None if "label" in TARGETS[self.kind] else GOVERNANCE,
        }
        return SegmentActivation.model_validate({"metadata": described, "spec": spec, "status": self.cluster.status})

    async def step(self) -> None:
        """Whatever is due."""
        self.registry.activation_seen(self.activation())
        await self.life.step()

    async def run(self) -> SegmentActivationStatus:
        self.annotations["requestedAt"] = str(uuid.uuid4())
        await self.step()
        return self.life.status

    def shown(self) -> set[str]:
        if self.kind == "label":
            return self.engage.attribute("label_vip") & set(self.people)
        if self.kind in ROUTES:
            return self.engage.labelled("vip") & set(self.people)
        listed = (
            self.engage.consent("memberTerms") if self.kind == "consent" else self.engage.preference("acceptsEmail")
        )
        return listed["true" if self.kind in OPT_INS else "false"] & set(self.people)

    def decide(self, contact: str, value: bool) -> None:
        said: dict[str, Any] = {"consents": {"memberTerms": value}}
        self.engage.decide(contact, **said if self.kind == "consent" else {"preferences": {"acceptsEmail": value}})


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
            self.here.annotations["approve"] = plan.digest
            self.runner.run(self.here.step())

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

    def teardown(self) -> None:
        if not hasattr(self, "here"):
            return
        self.here.generation += 1  # parked rejections of the faults are tried again
        for _ in range(12):
            status = self.runner.run(self.here.run())
            assert status.last_run is not None
            if status.plan is not None:
                self.here.annotations["approve"] = status.plan.digest
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
