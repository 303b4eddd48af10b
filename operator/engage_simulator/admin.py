"""The other side of the simulator, for those who run it: seed, look, count, break. No headers needed.

| call | what it does |
|---|---|
| `PUT /_admin/tenant` | any of apiKeys, rateLimit, retryAfter, bulkStatusShape, bulkDelaySeconds, bulkHolds, contactType, quirks (tenant.py), labelOperation, clockAheadSeconds, attributes {id: type}, consents {id: name} |
| `POST /_admin/contacts` | put contacts in: [{id, email?, contactType?, attributes?, preferences?, consents? {id: value}, createdOn?, modifiedOn?}] |
| `GET /_admin/contacts/{id}`, `DELETE /_admin/contacts/{id}` | show one; take it out |
| `PATCH /_admin/contacts/{id}` | what the person does: {email?, attributes?, preferences?, consents? {id: value}} |
| `PUT /_admin/decisions` | what people do between two requests: [{contact, changes, method?, path?, when? (before, after), skip?}], see people.py |
| `GET /_admin/attributes/{id}` | ids of the contacts whose boolean attribute is true |
| `GET /_admin/preferences/{name}`, `GET /_admin/consents/{id}` | {"true": [ids], "false": [ids]}, without contacts that never had it set |
| `GET /_admin/labels/{name}` | ids of the contacts that have the label, by trigger or label operation |
| `GET /_admin/triggers` | [{triggerId, contactId, payload}], every custom trigger that was fired |
| `GET /_admin/batches`, `POST /_admin/batches/{id}` | [{batchId, rows, isFinished}], oldest first; work on one that was taken in while bulkHolds was true |
| `PUT /_admin/faults`, `DELETE /_admin/faults` | [{kind, method?, path?, status?, retryAfter?, seconds?, times?}], see faults.py |
| `GET /_admin/requests`, `DELETE /_admin/requests` | counters; reset them |
"""  # noqa: E501

from collections.abc import Iterable
from datetime import timedelta

from aiohttp import web

from engage_simulator.bulk import SHAPES
from engage_simulator.faults import Fault
from engage_simulator.people import Decision
from engage_simulator.state import STATE
from engage_simulator.tenant import QUIRKS

routes = web.RouteTableDef()


@routes.put("/_admin/tenant")
async def configure(request: web.Request) -> web.Response:
    state, wanted = request.app[STATE], await request.json()
    if wanted.get("bulkStatusShape", SHAPES[0]) not in SHAPES:
        raise web.HTTPBadRequest(text=f"bulkStatusShape must be one of {', '.join(SHAPES)}")
    state.api_keys = set(wanted.get("apiKeys", state.api_keys))
    state.traffic.limit = wanted.get("rateLimit", state.traffic.limit)
    state.retry_after = wanted.get("retryAfter", state.retry_after)
    state.batches.shape = wanted.get("bulkStatusShape", state.batches.shape)
    state.batches.delay = wanted.get("bulkDelaySeconds", state.batches.delay)
    state.batches.is_holding = wanted.get("bulkHolds", state.batches.is_holding)
    state.tenant.default_type = wanted.get("contactType", state.tenant.default_type)
    if unknown := set(wanted.get("quirks", [])) - QUIRKS:
        raise web.HTTPBadRequest(text=f"there is no quirk {', '.join(unknown)}; there are {', '.join(sorted(QUIRKS))}")
    state.tenant.quirks = set(wanted.get("quirks", state.tenant.quirks))
    state.tenant.label_operation = wanted.get("labelOperation", state.tenant.label_operation)
    if "clockAheadSeconds" in wanted:
        state.tenant.ahead = timedelta(seconds=wanted["clockAheadSeconds"])
    state.tenant.attributes.update(wanted.get("attributes", {}))
    state.tenant.consents.update(wanted.get("consents", {}))
    return web.json_response({})


@routes.post("/_admin/contacts")
async def seed(request: web.Request) -> web.Response:
    request.app[STATE].tenant.add(await request.json())
    return web.json_response({"contacts": len(request.app[STATE].tenant.contacts)})


@routes.patch("/_admin/contacts/{id}")
async def decide(request: web.Request) -> web.Response:
    """What the person does: unsubscribes, consents, moves to another address."""
    request.app[STATE].tenant.decided(request.match_info["id"], await request.json())
    return web.json_response({})


@routes.get("/_admin/contacts/{id}")
async def show(request: web.Request) -> web.Response:
    return web.json_response(request.app[STATE].tenant.contact(request.match_info["id"]).shown())


@routes.delete("/_admin/contacts/{id}")
async def remove(request: web.Request) -> web.Response:
    request.app[STATE].tenant.remove(request.match_info["id"])
    return web.json_response({})


@routes.get("/_admin/attributes/{id}")
async def attribute(request: web.Request) -> web.Response:
    name, contacts = request.match_info["id"], request.app[STATE].tenant.contacts.values()
    return web.json_response([contact.id for contact in contacts if contact.attributes.get(name) is True])


@routes.get("/_admin/preferences/{name}")
async def preference(request: web.Request) -> web.Response:
    name, contacts = request.match_info["name"], request.app[STATE].tenant.contacts.values()
    return _split((contact.id, contact.preferences.get(name)) for contact in contacts)


@routes.get("/_admin/consents/{id}")
async def consent(request: web.Request) -> web.Response:
    name, contacts = request.match_info["id"], request.app[STATE].tenant.contacts.values()
    return _split((contact.id, contact.consents.get(name, {}).get("value")) for contact in contacts)


@routes.get("/_admin/labels/{name}")
async def labelled(request: web.Request) -> web.Response:
    name, contacts = request.match_info["name"], request.app[STATE].tenant.contacts.values()
    return web.json_response([contact.id for contact in contacts if name in contact.labels])


@routes.get("/_admin/triggers")
async def fired(request: web.Request) -> web.Response:
    return web.json_response(request.app[STATE].tenant.fired)


@routes.get("/_admin/batches")
async def taken_in(request: web.Request) -> web.Response:
    batches = request.app[STATE].batches.batches.items()
    return web.json_response(
        [{"batchId": name, "rows": len(batch.rows), "isFinished": batch.is_finished} for name, batch in batches]
    )


@routes.post("/_admin/batches/{id}")
async def let_go(request: web.Request) -> web.Response:
    await request.app[STATE].batches.let_go(request.match_info["id"])
    return web.json_response({})


@routes.put("/_admin/decisions")
async def about_to_decide(request: web.Request) -> web.Response:
    request.app[STATE].people.about_to = [Decision(**one) for one in await request.json()]
    return web.json_response({})


@routes.put("/_admin/faults")
async def set_faults(request: web.Request) -> web.Response:
    request.app[STATE].faults.set_anew(*map(Fault.from_json, await request.json()))
    return web.json_response({})


@routes.delete("/_admin/faults")
async def clear_faults(request: web.Request) -> web.Response:
    request.app[STATE].faults.set_anew()
    return web.json_response({})


@routes.get("/_admin/requests")
async def requests(request: web.Request) -> web.Response:
    return web.json_response(request.app[STATE].traffic.counted())


@routes.delete("/_admin/requests")
async def reset_requests(request: web.Request) -> web.Response:
    request.app[STATE].traffic.reset()
    return web.json_response({})


def _split(values: Iterable[tuple[str, bool | None]]) -> web.Response:
    known = list(values)
    return web.json_response(
        {"true": [contact for contact, value in known if value is True], "false": [c for c, v in known if v is False]}
    )
