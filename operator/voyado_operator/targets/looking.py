"""What every target does that writes something which a look at the contact shows."""

from collections.abc import Sequence
from typing import Any

from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.limiter import Priority
from voyado_operator.reconcile.ports import Reading
from voyado_operator.targets.reading import read_all


class Looking:
    """Reads contacts, and puts them back; `priority` is that of the target's changes."""

    is_repeat_safe = True

    def __init__(self, client: EngageClient, priority: Priority = Priority.NORMAL) -> None:
        self.client = client
        self._priority = priority

    async def read(self, contact_ids: Sequence[str]) -> Reading:
        return await read_all(contact_ids, self.client, self._priority)

    async def restore(self, contact_id: str, changes: dict[str, Any]) -> None:
        await self.client.update(contact_id, changes, Priority.OPT_OUT)
