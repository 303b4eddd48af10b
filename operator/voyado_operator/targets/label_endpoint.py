"""A label by an operation that the tenant's own Swagger shows. No public document proves one (engage-api.md 7)."""

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from voyado_operator.api.connection import DECISIONS, EndpointCall, EndpointRoute
from voyado_operator.domain.delivery import Operation
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.domain.target import Capability, Mode
from voyado_operator.engage.answers import ItemAnswer
from voyado_operator.engage.client import EngageClient
from voyado_operator.reconcile.ports import Delivered, Tell, nobody_waits
from voyado_operator.targets.base import EngageTarget
from voyado_operator.targets.singly import one_by_one


class LabelEndpoint(EngageTarget):
    """A templated call per change. The label does not show on a contact; that nothing else changes does.

    POST is not taken to be repeat-safe (engage-api.md 2).
    """

    def __init__(self, client: EngageClient, route: EndpointRoute, label: str, batch_size: int) -> None:
        """Raises InvalidSpec."""
        super().__init__(client)
        self._calls = {Operation.ADD: route.add, Operation.REMOVE: route.remove}
        self._label = label
        self.batch_size = batch_size
        self.is_repeat_safe = "POST" not in (route.add.method, route.remove.method)
        for operation, call in self._calls.items():
            if re.search(DECISIONS, filled_path(call, "", label)):
                raise InvalidSpec(
                    f"spec.target.label.name: with it the path of spec.labels.endpoint.{operation} writes what the "
                    "person decides; choose another name"
                )
            filled_body(call, "", label, f"spec.labels.endpoint.{operation}.body")

    async def check(self) -> None:
        """Nothing lists a tenant's labels."""

    def capability(self, operation: Operation, contacts: int) -> Capability:
        return Capability("label", "endpoint", Mode.SINGLE)

    def facet(self, operation: Operation) -> None:
        return None

    async def apply(
        self, operation: Operation, contact_ids: Sequence[str], handed_in: Tell = nobody_waits
    ) -> Delivered:
        call = self._calls[operation]

        async def send(contact_id: str) -> ItemAnswer:
            body = filled_body(call, contact_id, self._label, "body")
            return await self.client.call(call.method, filled_path(call, contact_id, self._label), body)

        return await one_by_one(operation, contact_ids, send)


def filled_path(call: EndpointCall, contact_id: str, label: str) -> str:
    """Each value stays within its own segment of the path."""
    return call.path.replace("{contactId}", quote(contact_id, safe="")).replace("{label}", quote(label, safe=""))


def filled_body(call: EndpointCall, contact_id: str, label: str, field: str) -> Any:
    """Each value stays within its own string of the JSON. Raises InvalidSpec when the template is no JSON."""
    if call.body is None:
        return None
    try:
        template = json.loads(call.body)
    except (ValueError, RecursionError):
        raise InvalidSpec(f'{field}: must be JSON, e.g. {{"label": "{{label}}"}}') from None
    return _filled(template, {"{contactId}": contact_id, "{label}": label})


def _filled(template: Any, values: dict[str, str]) -> Any:
    if isinstance(template, dict):
        return {name: _filled(value, values) for name, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, values) for value in template]
    if not isinstance(template, str):
        return template
    for placeholder, value in values.items():
        template = template.replace(placeholder, value)
    return template
