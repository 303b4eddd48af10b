"""Everything one simulated tenant consists of."""

from dataclasses import dataclass, field

from aiohttp import web

from engage_simulator.bulk import Batches
from engage_simulator.faults import Faults
from engage_simulator.people import People
from engage_simulator.tenant import Tenant
from engage_simulator.traffic import Traffic


@dataclass(slots=True)
class State:
    """`retry_after` is sent with a 429, in seconds, if set."""

    api_keys: set[str]
    tenant: Tenant = field(default_factory=Tenant)
    batches: Batches = field(default_factory=Batches)
    traffic: Traffic = field(default_factory=Traffic)
    faults: Faults = field(default_factory=Faults)
    people: People = field(default_factory=People)
    retry_after: float | None = None


STATE = web.AppKey("state", State)
