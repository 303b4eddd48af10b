"""What people do between two requests: each decision is made when a certain request comes in, or has been done."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from engage_simulator.tenant import Tenant


@dataclass(slots=True)
class Decision:
    """The contact's `changes`, as PATCH /_admin/contacts/{id} takes them, at the next request that matches.

    before: the request finds them; after: they are made when it has been done, and before it is answered. `skip`: how
    many such requests go by first.
    """

    contact: str
    changes: dict[str, Any]
    method: str | None = None
    path: str = ""
    when: Literal["before", "after"] = "after"
    skip: int = 0

    def __post_init__(self) -> None:
        if self.when not in ("before", "after"):
            raise web.HTTPBadRequest(text="when must be before or after")

    def hits(self, request: web.Request) -> bool:
        return self.method in (None, request.method) and bool(re.search(self.path, request.path))


@dataclass(slots=True)
class People:
    """Those who are about to decide."""

    about_to: list[Decision] = field(default_factory=list)

    def decide(self, tenant: Tenant, request: web.Request, when: str) -> None:
        for decision in [one for one in self.about_to if one.when == when and one.hits(request)]:
            if decision.skip:
                decision.skip -= 1
                continue
            self.about_to.remove(decision)
            tenant.decided(decision.contact, decision.changes)
