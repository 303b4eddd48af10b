"""EngageTarget at contacts as Engage shows them."""

from collections.abc import Sequence

from voyado_operator.domain.contact import Contact
from voyado_operator.domain.delivery import Operation
from voyado_operator.engage.answers import ItemAnswer, ItemStatus
from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.limiter import Priority
from voyado_operator.reconcile.ports import Reading
from voyado_operator.targets.singly import one_by_one


async def read_all(contact_ids: Sequence[str], client: EngageClient, priority: Priority = Priority.NORMAL) -> Reading:
    """Every contact that Engage shows; of the others the outcome, as if each were to be added."""
    seen: dict[str, Contact] = {}

    async def look(contact_id: str) -> ItemAnswer:
        found = await client.read(contact_id, priority)
        if isinstance(found, ItemAnswer):
            return found
        seen[contact_id] = found
        return ItemAnswer(ItemStatus.DONE)

    looked = await one_by_one(Operation.ADD, contact_ids, look)
    return Reading(seen, looked.others, looked.stopped)
