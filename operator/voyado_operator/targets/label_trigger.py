"""A label by a custom trigger: an automation in Engage adds or removes it by the payload's values.

Proven: custom triggers, and an automation step that adds a label. Unknown: a step that removes one (engage-api.md 7).
"""

from collections.abc import Sequence

from voyado_operator.domain.delivery import Operation
from voyado_operator.engage.answers import ItemAnswer
from voyado_operator.engage.client import EngageClient
from voyado_operator.reconcile.ports import Delivered, Tell, nobody_waits
from voyado_operator.targets.base import EngageTarget
from voyado_operator.targets.singly import one_by_one


class LabelTrigger(EngageTarget):
    """One trigger per change. What it did shows nowhere on the contact, so there is nothing to prove by a look."""

    is_repeat_safe = False

    def __init__(self, client: EngageClient, trigger_id: str, label: str, batch_size: int) -> None:
        super().__init__(client)
        self._trigger_id = trigger_id
        self._label = label
        self.batch_size = batch_size

    async def check(self) -> None:
        """Nothing lists a tenant's triggers."""

    def capability(self, operation: Operation, contacts: int) -> None:
        return None

    def facet(self, operation: Operation) -> None:
        return None

    async def apply(
        self, operation: Operation, contact_ids: Sequence[str], handed_in: Tell = nobody_waits
    ) -> Delivered:
        payload = {"label": self._label, "action": operation.value}

        async def send(contact_id: str) -> ItemAnswer:
            return await self.client.fire(self._trigger_id, contact_id, payload)

        return await one_by_one(operation, contact_ids, send)
