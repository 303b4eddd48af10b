"""One activation with its operator, all of it real but the API server, which is a dictionary."""

import asyncio
import uuid
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry
from voyado_operator.adapters import OperatorAdapters
from voyado_operator.api.activation import SegmentActivation, SegmentActivationStatus
from voyado_operator.api.common import Kind, Metadata
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.app import now
from voyado_operator.engage.pool import EngagePool
from voyado_operator.engage.transport import Patience
from voyado_operator.reconcile.activation import ActivationLife
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.settings import Settings
from voyado_operator.telemetry.metrics import Metrics

from tests.engage import EngageAdmin
from tests.unit.reconcile.objects import connection, metadata

PEOPLE = 14
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
