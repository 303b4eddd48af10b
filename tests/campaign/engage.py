"""An Engage tenant of the campaign's own, over real HTTP: minimal, strict, and every request is written down.

It shares nothing with the operator, nor with the simulator. Before and after each request the campaign may do
something else: let a person change their mind, break the answer, kill an operator.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from tests.campaign.log import PERSON, Log, Refused, Showed, Wrote

BASE = "/api/v3"
ATTRIBUTES = {"label_vip", "label_gold", "tag_vip", "tag_gold"}
PREFERENCES = {"acceptsEmail", "acceptsSms", "acceptsPostal"}
CONSENTS = {"memberTerms": "Member terms", "profiling": "Profiling"}
TRIGGERS = {"sync", "sync2"}
TYPE = "Member"


@dataclass(slots=True)
class Contact:
    """One person in the tenant; `labels` are of the endpoint route, `tagged` what the automation of a trigger keeps."""

    email: str
    preferences: dict[str, bool]
    consents: dict[str, dict[str, Any]]
    modified: datetime
    attributes: dict[str, bool] = field(default_factory=dict)
    labels: dict[str, bool] = field(default_factory=dict)
    tagged: dict[str, bool] = field(default_factory=dict)
    exists: bool = True

    def value(self, target: str) -> bool | None:
        """What it shows of a target (kind:name), None: not set."""
        kind, name = target.split(":", 1)
        if kind == "consent":
            state = self.consents.get(name)
            return None if state is None else bool(state["value"])
        store = {"attribute": self.attributes, "preference": self.preferences, "endpoint": self.labels}
        return store.get(kind, self.tagged).get(name)


@dataclass(slots=True)
class Batch:
    """A bulk update that the tenant works on later: when it has been asked `asks` more times for anything, or `until`
    then.
    """

    rows: list[dict[str, Any]]
    by: str
    asks: int
    until: datetime
    place: int
    errors: list[dict[str, str]] = field(default_factory=list)
    is_done: bool = False


LONGEST = timedelta(minutes=30)
"""It may outlast what a client waits for it."""


class HangUpError(Exception):
    """The connection breaks; nothing is answered."""


Hook = Callable[["Engage", int, web.BaseRequest], None]


class Engage:
    """One tenant. `before` and `after` are called around each request with its number."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.url = ""

    def reset(self, log: Log, clock: Callable[[], datetime], before: Hook, after: Hook) -> None:
        """A new tenant, for the next sequence."""
        self.log, self.clock, self._before, self._after = log, clock, before, after
        self.contacts: dict[str, Contact] = {}
        self.batches: dict[str, Batch] = {}
        self.keys = {"the-key"}
        self.batch_asks = 0

    async def start(self) -> None:
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        server: Any = site._server
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        await self._runner.cleanup()

    # What people see and do.

    def value(self, contact: str, target: str) -> bool | None:
        return self.contacts[contact].value(target)

    def decide(self, contact: str, target: str, *, value: bool) -> None:
        """The person says yes or no, or somebody sets a label by hand."""
        if self.contacts[contact].exists:
            self._set(contact, target, value=value, by=PERSON, source="web")

    def _set(
        self,
        contact: str,
        target: str,
        *,
        value: bool,
        by: str,
        source: str = "",
        comment: str = "",
        asked: int | None = None,
    ) -> None:
        found, (kind, name), now = self.contacts[contact], target.split(":", 1), self.clock()
        before = found.value(target)
        if kind == "consent":
            found.consents[name] = {"value": value, "date": now.isoformat(), "source": source, "comment": comment}
        else:
            stores = {"attribute": found.attributes, "preference": found.preferences, "endpoint": found.labels}
            stores.get(kind, found.tagged)[name] = value
        if kind != "trigger":
            found.modified = now
        activation, _, operator = by.partition("@")
        self.log.note(Wrote(now, activation, contact, f"{self.name}/{target}", before, value, operator, asked))

    # What a client sees.

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        number = self.number = getattr(self, "number", 0) + 1
        body = await request.read()
        try:
            self._before(self, number, request)
            self._work_on_batches()
            answer = self._answered(request, body)
            self._after(self, number, request)
        except HangUpError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        except web.HTTPException as refusal:
            if request.method != "GET":
                self._note_refusal(request)
            answer = web.json_response({"errorCode": refusal.reason}, status=refusal.status)
        answer.headers["Date"] = format_datetime(self.clock(), usegmt=True)
        return answer

    def _note_refusal(self, request: web.BaseRequest) -> None:
        for contact in self.contacts:
            if contact in request.path:
                self.log.note(Refused(self.clock(), acting(request).partition("@")[0], contact))

    def _answered(self, request: web.BaseRequest, body: bytes) -> web.Response:
        if request.headers.get("apikey") not in self.keys:
            raise web.HTTPUnauthorized(reason="InvalidApiKey")
        if "User-Agent" not in request.headers or request.headers.get("Content-Type") != "application/json":
            raise web.HTTPInternalServerError(reason="AnErrorHasOccurred")
        parts = request.path.removeprefix(f"{BASE}/").split("/")
        answer = self._asked(request, parts) if request.method == "GET" else self._told(request, parts, body)
        if answer is None:
            raise web.HTTPNotFound(reason="NoSuchOperation")
        return answer

    def _asked(self, request: web.BaseRequest, parts: list[str]) -> web.Response | None:
        match parts:
            case ["consents"]:
                return web.json_response([{"id": one, "name": name} for one, name in CONSENTS.items()])
            case ["contacts", "count"] | ["contacts", str(), "count"]:
                if len(parts) == 3 and parts[1] != TYPE:
                    raise web.HTTPBadRequest(reason="InvalidContactType")
                return web.json_response(sum(one.exists for one in self.contacts.values()))
            case ["contacts", "id"]:
                return self._found(request.query.get("email", ""))
            case ["contacts", "bulk", "status"]:
                return self._status(request.query.get("batchId", ""))
            case ["contacts", contact]:
                return self._shown(self._one(contact), acting(request))
        return None

    def _told(self, request: web.BaseRequest, parts: list[str], body: bytes) -> web.Response | None:
        by = acting(request)
        match request.method, parts:
            case "PATCH", ["contacts", "bulk"]:
                return self._bulk(json.loads(body), by)
            case "PATCH", ["contacts", contact]:
                self._patch(self._one(contact), json.loads(body), by)
                return self._shown(self._one(contact), "")
            case (("PUT" | "DELETE"), ["contacts", contact, "labels", label]):
                self._set(self._one(contact), f"endpoint:{label}", value=request.method == "PUT", by=by)
                return web.json_response({})
            case "POST", ["automation", "customTriggers", trigger, "triggerByContactId", contact]:
                if trigger not in TRIGGERS:
                    raise web.HTTPNotFound(reason="TriggerNotFound")
                payload = json.loads(body)
                on = payload["action"] == "add"
                self._set(self._one(contact), f"trigger:{trigger}:{payload['label']}", value=on, by=by)
                return web.json_response({})
        return None

    def _one(self, contact: str) -> str:
        try:
            UUID(contact)
        except ValueError:
            raise web.HTTPBadRequest(reason="InvalidContactId") from None
        if contact not in self.contacts or not self.contacts[contact].exists:
            raise web.HTTPNotFound(reason="ContactNotFound")
        return contact

    def _found(self, email: str) -> web.Response:
        found = [one for one, contact in self.contacts.items() if contact.exists and contact.email == email]
        if not found:
            raise web.HTTPNotFound(reason="ContactNotFound")
        if len(found) > 1:
            details = {"multipleMatchesFound": found}
            return web.json_response({"errorCode": "MultipleMatches", "messageDetails": details}, status=409)
        return web.json_response(found[0])

    def _shown(self, contact: str, by: str) -> web.Response:
        found = self.contacts[contact]
        if by:
            self.log.note(Showed(self.clock(), by.partition("@")[0], contact))
        return web.json_response(
            {
                "id": contact,
                "attributes": {"email": found.email, **found.attributes},
                "preferences": found.preferences,
                "consents": [{"id": one, **state} for one, state in found.consents.items()],
                "meta": {"contactType": TYPE, "modifiedOn": found.modified.isoformat(), "approved": True},
            }
        )

    def _patch(self, contact: str, changes: dict[str, Any], by: str, asked: int | None = None) -> None:
        """All of it or, with an error, nothing."""
        preferences, consents = changes.pop("preferences", {}), changes.pop("consents", [])
        wrong = changes.keys() - ATTRIBUTES | preferences.keys() - PREFERENCES
        wrong |= {one["id"] for one in consents} - CONSENTS.keys()
        values = [*changes.values(), *preferences.values(), *(one["value"] for one in consents)]
        if wrong or not all(isinstance(value, bool) for value in values):
            raise web.HTTPUnprocessableEntity(reason="ValidationError")
        for name, value in changes.items():
            self._set(contact, f"attribute:{name}", value=value, by=by, asked=asked)
        for name, value in preferences.items():
            self._set(contact, f"preference:{name}", value=value, by=by, asked=asked)
        for one in consents:
            more = {"source": one.get("source", ""), "comment": one.get("comment", "")}
            self._set(contact, f"consent:{one['id']}", value=one["value"], by=by, asked=asked, **more)

    def _bulk(self, rows: list[dict[str, Any]], by: str) -> web.Response:
        batch_id = f"batch-{len(self.batches)}"
        self.batches[batch_id] = Batch(rows, by, self.batch_asks, self.clock() + LONGEST, len(self.log.events))
        return web.json_response(batch_id, status=202)

    def _work_on_batches(self) -> None:
        for batch in self.batches.values():
            batch.asks -= 1
            if (batch.asks < 0 or self.clock() > batch.until) and not batch.is_done:
                self._work_on(batch)

    def _work_on(self, batch: Batch) -> None:
        batch.is_done = True
        for row in batch.rows:
            contact = row.pop("contactId", "")
            try:
                self._patch(self._one(contact), row, batch.by, batch.place)
            except web.HTTPException as refusal:
                batch.errors.append({"contactId": contact, "errorCode": refusal.reason})

    def _status(self, batch_id: str) -> web.Response:
        batch = self.batches.get(batch_id)
        if batch is None:
            raise web.HTTPNotFound(reason="BatchNotFound")
        if not batch.is_done:
            return web.json_response({"status": "Processing"})
        failed = len(batch.errors)
        done = {"succeeded": len(batch.rows) - failed, "failed": failed, "errors": batch.errors}
        return web.json_response({"status": "Completed", **done})


def acting(request: web.BaseRequest) -> str:
    """The activation whose operator sent the request, as the world marks it; people send none."""
    return request.headers.get("X-Campaign-Activation", "an operator")
