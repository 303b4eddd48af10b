"""The tenant's API: `/api/v3`, as far as `engage-api.md` proves or infers it, strict about headers and limits."""

import json
import re
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from engage_simulator import faults
from engage_simulator.state import STATE, State
from engage_simulator.tenant import Refused

BASE = "/api/v3"
USER_AGENT = re.compile(r"[^\s/]+/\S+.*")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
routes = web.RouteTableDef()


def state_of(request: web.Request) -> State:
    return request.app[STATE]


@web.middleware
async def as_a_tenant(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Everything that holds for every call of a tenant: headers, limit, faults, the shape of errors."""
    if not request.path.startswith(BASE):
        return await handler(request)
    state = state_of(request)
    state.traffic.operations[_operation(request)] += 1
    try:
        _check_headers(request, state)
        fault = state.faults.take(request)
        state.people.decide(state.tenant, request, "before")
        instead = await faults.before(fault, request) if fault else None
        answer = instead or await handler(request)
        state.people.decide(state.tenant, request, "after")
        if fault and not instead:
            answer = await faults.after(fault, request, answer)
        return answer
    except Refused as refused:
        headers = {}
        if refused.status == 429 and state.retry_after is not None:
            headers["Retry-After"] = f"{state.retry_after:g}"
        return web.json_response(refused.body, status=refused.status, headers=headers)


async def date(request: web.Request, answer: web.StreamResponse) -> None:
    """By the tenant's clock."""
    answer.headers["Date"] = format_datetime(state_of(request).tenant.time(), usegmt=True)


def _check_headers(request: web.Request, state: State) -> None:
    api_key = request.headers.get("apikey", "")
    if api_key not in state.api_keys:
        raise Refused(401, "Unauthorized", "The API key is missing or unknown")
    if not USER_AGENT.fullmatch(request.headers.get("User-Agent", "")):
        raise Refused(400, "UserAgentRequired", "User-Agent must be System/Version")
    if request.content_type != "application/json" or "Content-Type" not in request.headers:
        raise Refused(500, "InternalServerError", "An error has occurred")
    if not state.traffic.admits(api_key):
        raise Refused(429, "TooManyRequests", "Too many requests")


def _operation(request: web.Request) -> str:
    resource = request.match_info.route.resource
    template = resource.canonical.removeprefix(BASE) if resource else "unknown"
    return f"{request.method} {template}"


async def _body(request: web.Request) -> Any:
    try:
        return json.loads(await request.text())
    except ValueError:
        raise Refused(400, "NoData", "The body is not JSON") from None


@routes.get(f"{BASE}/contacts/id")
async def find(request: web.Request) -> web.Response:
    """The body is a bare JSON string."""
    address = request.query.get("email")
    if address is None:
        raise Refused(400, "InvalidSearchQuery", "Only the look-up by email is simulated")
    return web.json_response(state_of(request).tenant.id_of(address, request.query.get("contactType")))


@routes.get(f"{BASE}/contacts/count")
async def count(request: web.Request) -> web.Response:
    return web.json_response(state_of(request).tenant.count(None))


@routes.get(f"{BASE}/contacts/bulk/status")
async def bulk_status(request: web.Request) -> web.Response:
    return web.json_response(state_of(request).batches.status(request.query.get("batchId", "")))


@routes.patch(f"{BASE}/contacts/bulk")
async def bulk(request: web.Request) -> web.Response:
    state = state_of(request)
    return web.json_response(state.batches.start(state.tenant, await _body(request)))


@routes.get(BASE + "/contacts/{id}")
async def read(request: web.Request) -> web.Response:
    return web.json_response(state_of(request).tenant.contact(request.match_info["id"]).shown())


@routes.patch(BASE + "/contacts/{id}")
async def update(request: web.Request) -> web.Response:
    tenant = state_of(request).tenant
    contact, changes = tenant.contact(request.match_info["id"]), await _body(request)
    if not isinstance(changes, dict) or not changes:
        raise Refused(400, "NoData", "The body must be an object with the changes")
    tenant.update(contact, changes)
    return web.json_response(contact.shown())


@routes.post(BASE + "/automation/customTriggers/{trigger}/triggerByContactId/{id}")
async def fire(request: web.Request) -> web.Response:
    """The v3 path is inferred from v2 (engage-api.md 7)."""
    tenant, payload = state_of(request).tenant, await _body(request)
    if not isinstance(payload, dict):
        raise Refused(400, "NoData", "The body must be an object")
    tenant.fire(request.match_info["trigger"], tenant.contact(request.match_info["id"]), payload)
    return web.json_response({})


@routes.put(BASE + "/contacts/{id}/labels/{label}")
@routes.post(BASE + "/contacts/{id}/labels/{label}")
@routes.delete(BASE + "/contacts/{id}/labels/{label}")
async def label(request: web.Request) -> web.Response:
    """What a tenant's Swagger may show. No public document proves it, so a tenant has it only when it is told so."""
    tenant = state_of(request).tenant
    if not tenant.label_operation:
        raise Refused(404, "NotFound", "There is no such operation")
    contact = tenant.contact(request.match_info["id"])
    tenant.label(contact, request.match_info["label"], "remove" if request.method == "DELETE" else "add")
    return web.json_response({})


@routes.get(BASE + "/contacts/{type}/count")
async def count_of_type(request: web.Request) -> web.Response:
    return web.json_response(state_of(request).tenant.count(request.match_info["type"]))


@routes.get(f"{BASE}/consents")
async def consents(request: web.Request) -> web.Response:
    defined = state_of(request).tenant.consents
    return web.json_response([{"id": name, "name": title, "metaData": {}} for name, title in defined.items()])


@routes.post(f"{BASE}/contacts")
@routes.post(f"{BASE}/contacts/bulk")
async def create(request: web.Request) -> web.Response:
    """Really creates, so that a client that does it by mistake is found out; the traffic counts it."""
    body = await _body(request)
    state_of(request).tenant.add(body if isinstance(body, list) else [body])
    return web.json_response({}, status=201)
