"""One test's own corner of the real parts: a namespace, an Engage tenant, a table in the warehouse."""

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from kubernetes import client, config, watch

from tests.controlplane.postgres import Postgres
from tests.controlplane.processes import ControlPlane
from tests.engage import EngageAdmin
from tests.running import Operator

GROUP, VERSION = "voyado-operator.io", "v1alpha1"
ACTIVATIONS, CONNECTIONS = "segmentactivations", "voyadoconnections"
GOVERNANCE = {"owner": "crm", "purpose": "newsletter", "legalBasis": "Consent", "sourceOfTruth": "Acknowledged"}
Status = dict[str, Any]


@dataclass
class World:
    """`table` is (contact_id uuid, email text), the audience of `activation()` unless told otherwise."""

    cluster: ControlPlane
    operator: Operator
    postgres: Postgres
    engage: EngageAdmin
    namespace: str
    _tokens: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        self.table = f"audience_{self.namespace.replace('-', '_')}"
        self.postgres.execute(f"create table {self.table} (contact_id text, email text)")
        api = config.new_client_from_config(str(self.cluster.kubeconfig))
        self.objects, self.core = client.CustomObjectsApi(api), client.CoreV1Api(api)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        self.core.patch_namespace(
            self.namespace, namespace, field_manager="kubectl", _content_type="application/apply-patch+yaml"
        )
        self.secret("engage", apiKey=self.engage.api_key)
        self.secret("warehouse", uri=self.postgres.uri)

    def close(self) -> None:
        self.core.api_client.rest_client.pool_manager.clear()

    # What a user does.

    def secret(self, name: str, **values: str) -> None:
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values})

    def connect(self, **spec: Any) -> None:
        """Apply the VoyadoConnection `engage`."""
        self.apply(self.connection(**spec))

    def connection(self, name: str = "engage", **spec: Any) -> Status:
        given = {
            "url": self.engage.url,
            "apiKeySecretRef": {"name": "engage"},
            "labels": {"attribute": {"idTemplate": "label_{label}"}},
            "requestsPerSecond": 200,
        }
        return manifest("VoyadoConnection", name, given | spec)

    def activation(self, name: str = "vip", **spec: Any) -> Status:
        """A manifest that drives the label `vip` on request."""
        given = {"connectionRef": {"name": "engage"}, "audience": self.audience(), "target": {"label": {"name": "vip"}}}
        return manifest("SegmentActivation", name, given | spec)

    def audience(self, query: str | None = None, **identifiers: str) -> Status:
        sql = {"uriSecretRef": {"name": "warehouse"}, "query": query or f"select contact_id, email from {self.table}"}
        return {"sql": sql, "identifiers": identifiers or {"contactId": "contact_id", "email": "email"}}

    def apply(self, *manifests: Status) -> None:
        """As `kubectl apply --server-side` does, at a tenth of its time."""
        how = {"field_manager": "kubectl", "force": True, "_content_type": "application/apply-patch+yaml"}
        for one in manifests:
            name = one["metadata"]["name"]
            if one["kind"] == "Secret":
                self.core.patch_namespaced_secret(name, self.namespace, one, **how)
            else:
                plural = f"{one['kind'].lower()}s"
                self.objects.patch_namespaced_custom_object(GROUP, VERSION, self.namespace, plural, name, one, **how)

    def delete_all(self) -> None:
        """Activations first, and wait until they are gone, while there is a connection to withdraw them through."""
        for plural in (ACTIVATIONS, CONNECTIONS):
            self.objects.delete_collection_namespaced_custom_object(GROUP, VERSION, self.namespace, plural)
            self._until_none(plural)

    def _until_none(self, plural: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while self.objects.list_namespaced_custom_object(GROUP, VERSION, self.namespace, plural)["items"]:
            assert time.monotonic() < deadline, f"{plural} cannot be deleted"
            time.sleep(0.05)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.namespace, *arguments, stdin=stdin)

    def annotate(self, name: str, annotation: str, value: str) -> None:
        patch = {"metadata": {"annotations": {f"{GROUP}/{annotation}": value}}}
        self.objects.patch_namespaced_custom_object(
            GROUP, VERSION, self.namespace, ACTIVATIONS, name, patch, _content_type="application/merge-patch+json"
        )

    def start(self, *manifests: Status) -> Status:
        """Apply activations and wait until each has run, or cannot; return the status of the last."""
        self.apply(*manifests)
        return [self.run(one["metadata"]["name"]) for one in manifests][-1]

    def run(self, name: str = "vip") -> Status:
        """Ask for a run and wait for its report."""
        token = f"token-{next(self._tokens)}"
        self.annotate(name, "requestedAt", token)
        return self.await_status(lambda status: status.get("lastHandledReconcileAt") == token, name)

    # What a user sees.

    def status(self, name: str = "vip", plural: str = ACTIVATIONS) -> Status:
        found = self.objects.get_namespaced_custom_object(GROUP, VERSION, self.namespace, plural, name)
        return dict(found.get("status", {}))

    def await_status(
        self, wanted: Callable[[Status], bool], name: str = "vip", plural: str = ACTIVATIONS, seconds: int = 30
    ) -> Status:
        """The first status that is as wanted."""
        seen: Status = {}
        for seen in self.versions(name, plural, seconds):
            if wanted(seen):
                return seen
        raise AssertionError(f"{plural} {name} did not become as wanted in {seconds} s: {json.dumps(seen, indent=1)}")

    def versions(self, name: str = "vip", plural: str = ACTIVATIONS, seconds: int = 30) -> Iterator[Status]:
        """Every version of the status from now on, the present one first, or one a little older."""
        return (one.get("status", {}) for one in self.objects_seen(name, plural, seconds))

    def objects_seen(self, name: str = "vip", plural: str = ACTIVATIONS, seconds: int = 30) -> Iterator[Status]:
        """The whole object each time."""
        stream = watch.Watch().stream(
            self.objects.list_namespaced_custom_object,
            *(GROUP, VERSION, self.namespace, plural),
            field_selector=f"metadata.name={name}",
            timeout_seconds=seconds,
        )
        return (event["object"] for event in stream if event["type"] != "DELETED")

    def await_reason(self, reason: str, name: str = "vip", plural: str = ACTIVATIONS, seconds: int = 30) -> Status:
        return self.await_status(lambda status: ready(status).get("reason") == reason, name, plural, seconds)

    def await_event(self, reason: str, said: str, name: str = "vip", seconds: int = 10) -> None:
        """Events follow the status that they are about."""
        stream = watch.Watch().stream(
            self.core.list_namespaced_event,
            self.namespace,
            field_selector=f"involvedObject.name={name}",
            timeout_seconds=seconds,
        )
        seen = []
        for event in stream:
            seen.append((event["object"].reason, event["object"].message))
            if seen[-1][0] == reason and said in seen[-1][1]:
                return
        raise AssertionError(f"no Event {reason} about {name} that says {said!r}, only {seen}")

    def metric(self, name: str, activation: str = "vip", **labels: str) -> float | None:
        return self.operator.metric(name, namespace=self.namespace, activation=activation, **labels)

    # What the warehouse and the tenant hold.

    def people(self, number: int) -> list[str]:
        """New contacts in Engage, with the addresses `<first 8 digits of the id>@people.example`."""
        ids = [str(uuid.uuid4()) for _ in range(number)]
        self.engage.seed([{"id": one, "email": address(one)} for one in ids])
        return ids

    def select(self, contact_ids: list[str]) -> None:
        """Make exactly these the audience."""
        self.fill([(one, None) for one in contact_ids])

    def fill(self, rows: list[tuple[str | None, str | None]]) -> None:
        values = ", ".join(f"({_literal(contact)}, {_literal(email)})" for contact, email in rows)
        insert = f"insert into {self.table} values {values};" if rows else ""
        self.postgres.execute(f"begin; truncate {self.table}; {insert} commit")

    @property
    def labelled(self) -> set[str]:
        """Who has the label `vip` in Engage."""
        return self.engage.attribute("label_vip")

    @property
    def writes(self) -> int:
        return int(self.engage.requests()["writes"])

    @property
    def ledger(self) -> Path:
        return self.operator.ledger


def namespace_of(test: str, number: int) -> str:
    """A readable one, that no other test has."""
    readable = re.sub(r"[^a-z0-9]+", "-", test.lower().removeprefix("test_"))[:45].strip("-")
    return f"{readable}-{number}"


def manifest(kind: str, name: str, spec: Status) -> Status:
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": kind, "metadata": {"name": name}, "spec": spec}


def ready(status: Status) -> Status:
    """The Ready condition."""
    return condition(status, "Ready") or {}


def condition(status: Status, kind: str) -> Status | None:
    return next((found for found in status.get("conditions", []) if found["type"] == kind), None)


def address(contact_id: str) -> str:
    return f"{contact_id[:8]}@people.example"


def _literal(value: str | None) -> str:
    return "null" if value is None else "'" + value.replace("'", "''") + "'"
