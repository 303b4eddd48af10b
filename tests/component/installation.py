"""One activation with its operator, all of it real but the API server, which is a dictionary."""

import asyncio
import sqlite3
import uuid
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, cast
from unittest import mock

from arro3.core import Table
from prometheus_client import CollectorRegistry
from voyado_operator.adapters import OperatorAdapters
from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.api.common import Kind, Metadata
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.app import now
from voyado_operator.engage.pool import EngagePool
from voyado_operator.engage.transport import Patience
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.ledger.members import Ledger
from voyado_operator.reconcile.activation import ActivationLife
from voyado_operator.reconcile.deletion import Deletions
from voyado_operator.reconcile.finalizer import WITHDRAW
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.slots import Slots
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.settings import Settings
from voyado_operator.targets.singly import SECONDS_PER_BATCH
from voyado_operator.telemetry.metrics import Metrics

from tests.engage import EngageAdmin
from tests.unit.reconcile.objects import connection, metadata

HURRY = Patience(attempts=2, first_wait=0.001, longest_wait=0.002, total=5)
GOVERNANCE = {"owner": "crm", "purpose": "newsletter", "legalBasis": "Consent", "sourceOfTruth": "Acknowledged"}
TARGETS: dict[str, dict[str, Any]] = {
    "bulk": {"label": {"name": "vip"}},
    "single": {"label": {"name": "vip"}},
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
WAITS = "wait for a bulk update that Engage is still working on"
LONG_AGO = "2026-01-01T00:00:00+00:00"
CHANGES_PER_BATCH = 2  # of single calls; a run of a few dozen contacts has many batches


class Killed(BaseException):
    """The process ends here; nothing more is written anywhere."""


class Dictionary:
    """As much of an API server as one activation needs."""

    def __init__(self, api_key: str) -> None:
        self.api_key = api_key
        self.warehouse = ""
        self.existing = True
        self.status: dict[str, Any] = {}
        self.events = list[tuple[str, str, str]]()

    async def secret(self, field: str, *_: object) -> str:
        return self.warehouse if field.startswith("spec.audience") else self.api_key

    async def add_finalizer(self, *_: object) -> None:
        return None

    async def remove_finalizer(self, *_: object) -> None:
        return None

    async def apply_status(self, kind: Kind, metadata: Metadata, status: dict[str, Any]) -> None:
        self.status = status

    async def exists(self, *_: object) -> bool:
        return self.existing

    async def event(self, _: Kind, __: Metadata, *told: str) -> None:
        self.events.append(cast(tuple[str, str, str], told))


class Installation:
    """One activation with its operator, which can be killed and started again."""

    def __init__(self, engage: EngageAdmin, kind: str, folder: Path, people: int, **guards: Any) -> None:
        """Above the ledger's `folder` a warehouse may be put, see Warehouse."""
        engage.configure(attributes={"label_vip": "boolean"}, labelOperation=True, bulkDelaySeconds=0, rateLimit=10_000)
        self.engage, self.kind, self.guards = engage, kind, {"allowEmpty": True, "maxAdditions": 1000} | guards
        self.people = [str(uuid.uuid4()) for _ in range(people)]
        engage.seed([{"id": one, "modifiedOn": LONG_AGO} for one in self.people])
        self.audience = list[str]()
        self.spec: dict[str, Any] = {}
        self.tenant: dict[str, Any] = {}
        self.passed = timedelta()
        self.ever = set[str]()
        self.uid = self.generation = 1
        self.annotations = dict[str, str]()
        self.approved = 0
        self.cluster = Dictionary(engage.api_key)
        self.settings = Settings(
            ledger_url=f"file://{folder}",
            engage_hosts=("127.0.0.1",),
            file_roots=(str(folder.parent),),
            pace_loopback=False,
        )
        self.may_write: Callable[[], bool] = lambda: True
        self.start()

    def start(self) -> None:
        """A new process: everything in memory is what the API server and the ledger say."""
        metrics = Metrics(CollectorRegistry())
        self.adapters = OperatorAdapters(self.settings, b"key", metrics, lambda: True)
        self.adapters._pool = EngagePool(metrics, "0", lambda: self.may_write(), HURRY)
        self.around = Surroundings(self.adapters, cast(Any, self.cluster), Slots(1), "uid", lambda: now() + self.passed)
        self.registry = Registry(self.adapters.identify)
        self.registry.connection_seen(self.connection())
        self.registry.activation_seen(self.activation())
        watched = self.registry.activations[self.activation().metadata.key]
        self.life = ActivationLife(watched, self.around, self.registry, metrics, is_stopping=lambda: False)

    def answers_within(self, seconds: float) -> None:
        """How long this operator waits for an answer."""
        self.adapters._pool._patience = replace(HURRY, for_an_answer=seconds)

    def connection(self) -> VoyadoConnection:
        labels = ROUTES.get(self.kind, {"attribute": {"idTemplate": "label_{label}"}})
        bulk = {"mode": "Off" if self.kind == "single" else "Auto"}
        rate = CHANGES_PER_BATCH // SECONDS_PER_BATCH
        given = {"url": self.engage.url, "labels": labels, "bulk": bulk, "requestsPerSecond": rate}
        return connection(**given | self.tenant)

    def activation(self) -> SegmentActivation:
        described = metadata("vip", 1, self.generation, self.annotations) | {"uid": f"uid-{self.uid}"}
        spec: dict[str, Any] = {
            "connectionRef": {"name": "engage"},
            "audience": {"contactIds": self.audience},
            "target": TARGETS[self.kind],
            "schedule": {"every": "1h"},
            "guards": self.guards,
            "governance": None if "label" in TARGETS[self.kind] else GOVERNANCE,
        }
        manifest = {"metadata": described, "spec": spec | self.spec, "status": self.cluster.status}
        return SegmentActivation.model_validate(manifest)

    def select(self, people: Iterable[str]) -> None:
        """The audience of the next runs: a change of the manifest."""
        self.audience = sorted(people)
        self.ever |= set(self.audience)
        self.generation += 1

    def edit(self, **spec: Any) -> None:
        """Change the manifest."""
        self.spec |= spec
        self.generation += 1

    def move(self, **tenant: Any) -> None:
        """Change the connection."""
        self.tenant |= tenant
        self.registry.connection_seen(self.connection())

    async def apply_again(self) -> None:
        """The object was deleted and created again."""
        self.annotations.clear()
        self.cluster.status = {}
        self.generation = 1
        self.uid += 1
        await self.restart()

    async def step(self) -> None:
        """Whatever is due."""
        self.registry.activation_seen(self.activation())
        try:
            await self.life.step()
        except BaseExceptionGroup as died:  # in a lane
            if died.subgroup(Killed) is None:
                raise
            raise Killed from died
        self.registry.activation_seen(self.activation())

    async def run(self, **passing: float) -> SegmentActivationStatus:
        """A run that is asked for, when so much time (days, hours, minutes) has passed."""
        if passing:
            self.let_pass(**passing)
        self.annotations["requestedAt"] = str(uuid.uuid4())
        await self.step()
        return self.life.status

    def let_pass(self, **passing: float) -> None:
        """Time passes, here and in Engage."""
        self.passed += timedelta(**passing)
        self.engage.configure(clockAheadSeconds=self.passed.total_seconds())

    async def approve(self) -> None:
        """A person lets out what waits, if anything does."""
        if plan := self.life.status.plan:
            self.annotations["approve"] = plan.digest
            self.approved += plan.entering + plan.leaving
            await self.step()

    async def settle(self) -> None:
        """Run without faults until nothing is left to do; a person approves whatever waits."""
        self.engage.faults()
        self.generation += 1  # parked rejections of the faults are tried again
        for _ in range(12):
            status = await self.run()
            assert status.last_run is not None
            if status.plan is not None:
                await self.approve()
            elif WAITS in (status.last_run.message or ""):
                self.let_pass(minutes=10)
            elif status.last_run.outcome in ("Succeeded", "Partial") and not status.last_run.unknown:
                return
        raise AssertionError(f"it does not settle: {status.last_run}")

    async def restart(self) -> None:
        """After a kill, of which nothing goes on."""
        cut_off = asyncio.all_tasks() - {asyncio.current_task()}
        for task in cut_off:
            task.cancel()
        await asyncio.gather(*cut_off, return_exceptions=True)
        await self.adapters.close()  # its sockets, as the system does for a process
        self.start()

    async def withdraw(self) -> None:
        """The object is deleted with Withdraw; return when it may go."""
        self.edit(deletionPolicy="Withdraw")
        present = self.activation()
        held = {"finalizers": [WITHDRAW], "deletion_timestamp": now()}
        deleted = present.model_copy(update={"metadata": present.metadata.model_copy(update=held)})
        deletions = Deletions(self.around, self.registry)
        deletions.seen(deleted)
        await asyncio.gather(*deletions._tasks.values())

    async def ends(self) -> None:
        await self.adapters.close()

    def fired_for(self, contact: str) -> list[str]:
        """The actions of the contact's triggers, in order."""
        return [one["payload"]["action"] for one in self.engage.fired() if one["contactId"] == contact]

    def ledger(self) -> Path:
        told = self.life.status.ledger
        assert told is not None
        return Path(told.url.removeprefix("file://"))

    def opened_ledger(self) -> Ledger:
        """As it lies there now."""
        found = Ledger.existing(f"file://{self.ledger()}")
        assert found is not None
        return found

    def shown(self) -> set[str]:
        if self.kind in ("bulk", "single"):
            return self.engage.attribute("label_vip") & set(self.people)
        if self.kind in ROUTES:
            return self.engage.labelled("vip") & set(self.people)
        listed = (
            self.engage.consent("memberTerms") if self.kind == "consent" else self.engage.preference("acceptsEmail")
        )
        return listed["true" if self.kind in OPT_INS else "false"] & set(self.people)

    def fired_again(self) -> int:
        """How often a contact's trigger was fired with the action of the time before."""
        latest, again = dict[str, str](), 0
        for one in self.engage.fired():
            contact, action = one["contactId"], one["payload"]["action"]
            again += contact in self.people and latest.get(contact) == action
            latest[contact] = action
        return again

    def decide(self, contact: str, value: bool) -> None:
        said: dict[str, Any] = {"consents": {"memberTerms": value}}
        self.engage.decide(contact, **said if self.kind == "consent" else {"preferences": {"acceptsEmail": value}})


def killed_after(commits: int) -> AbstractContextManager[None]:
    """The process dies before its next commit of what became of contacts (1), right after it (2), before the one after
    that (3), and so on.
    """
    number = count(1)
    return killed_at(lambda _: next(number) == (commits + 1) // 2, is_written=commits % 2 == 0)


def killed_at(meant: Callable[[Table], bool], *, is_written: bool) -> AbstractContextManager[None]:
    """The process dies at the first commit whose rows are meant, with it or before it; whatever goes on here after
    that, nothing commits any more.
    """
    append, is_dead = ChangeLog.append, False

    def dying(log: ChangeLog, rows: Table) -> None:
        nonlocal is_dead
        if not is_dead and meant(rows):
            is_dead = True
            if is_written:
                append(log, rows)
        if is_dead:
            raise Killed
        append(log, rows)

    return mock.patch.object(ChangeLog, "append", dying)


class Warehouse:
    """A SQLite file that the installation's audience comes from, with one row (contactId, address, decidedAt) each."""

    def __init__(self, here: Installation, folder: Path) -> None:
        self._file = folder / "crm.sqlite"
        here.cluster.warehouse = f"sqlite:{self._file}"
        here.edit(
            audience={
                "sql": {"uriSecretRef": {"name": "warehouse"}, "query": "select * from vip"},
                "identifiers": {"contactId": "contact_id", "email": "email"},
                "decidedAt": "decided_at",
            }
        )

    def holds(self, *rows: tuple[str | None, str | None, str | None]) -> None:
        with closing(sqlite3.connect(self._file)) as file, file:
            file.execute("drop table if exists vip")
            file.execute("create table vip (contact_id text, email text, decided_at text)")
            file.executemany("insert into vip values (?, ?, ?)", rows)
