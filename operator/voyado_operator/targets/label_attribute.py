"""A label as a boolean contact attribute; a segment or automation in Engage shows it as a label.

Proven: a single update of an attribute. Unproven: contactId as the key of a bulk row (engage-api.md 5).
"""

import re
from collections.abc import Sequence

from voyado_operator.domain.batches import Batch
from voyado_operator.domain.contact import Facet
from voyado_operator.domain.delivery import NOT_APPLIED, Operation
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.domain.target import Capability, Mode
from voyado_operator.engage.answers import ItemAnswer, ItemStatus
from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.limiter import Priority
from voyado_operator.reconcile.batch_ports import UNREMEMBERED, Journal
from voyado_operator.reconcile.ports import Delivered, Tell, nobody_waits
from voyado_operator.targets import bulk
from voyado_operator.targets.base import EngageTarget
from voyado_operator.targets.singly import one_by_one

RESERVED = re.compile(
    r"id|email|mobilephone|externalid|socialsecuritynumber|membernumber|contacttype|preferences?|consents?|meta|attributes"
    r"|accepts.*|approved",
    re.IGNORECASE,
)
"""What a label's name must not make of the template: what contacts are found by, or decide (engage-api.md 3)."""


class LabelAttribute(EngageTarget):
    """Adding writes true, removing false. `batch_size` of bulk.MOST_IN_FLIGHT sends in bulk, except for a few."""

    def __init__(self, client: EngageClient, attribute: str, batch_size: int, journal: Journal = UNREMEMBERED) -> None:
        """Raises InvalidSpec for an attribute that is no label in any tenant."""
        super().__init__(client)
        if RESERVED.fullmatch(attribute):
            raise InvalidSpec(
                f"spec.target.label: with the VoyadoConnection's idTemplate it is the attribute {attribute}, which is "
                "Engage's own; choose another name or template"
            )
        self._attribute = attribute
        self.batch_size = batch_size
        self._journal = journal

    async def check(self) -> None:
        """Nothing lists a tenant's attributes, so a missing one shows as rejected contacts."""

    def facet(self, operation: Operation) -> Facet:
        return Facet("attribute", self._attribute, operation is Operation.ADD)

    def capability(self, operation: Operation, contacts: int) -> Capability:
        return Capability("label", "attribute", self._mode(contacts))

    def _mode(self, contacts: int) -> Mode:
        is_worth_it = self.batch_size == bulk.MOST_IN_FLIGHT and contacts >= bulk.FEWEST_ROWS
        return Mode.BULK if is_worth_it else Mode.SINGLE

    async def apply(
        self, operation: Operation, contact_ids: Sequence[str], handed_in: Tell = nobody_waits
    ) -> Delivered:
        return await self._applied(self._mode(len(contact_ids)), operation, contact_ids, handed_in)

    async def apply_as(self, mode: Mode, operation: Operation, contact_ids: Sequence[str]) -> Delivered:
        return await self._applied(mode, operation, contact_ids, nobody_waits)

    def remembering(self, journal: Journal) -> "LabelAttribute":
        return LabelAttribute(self.client, self._attribute, self.batch_size, journal)

    async def fate(
        self, operation: Operation, contact_ids: Sequence[str], batches: Sequence[Batch]
    ) -> Delivered | None:
        return await bulk.fate(operation, contact_ids, self.client, batches, self._is_as_wished(operation))

    async def _applied(
        self, mode: Mode, operation: Operation, contact_ids: Sequence[str], handed_in: Tell
    ) -> Delivered:
        wished = {self._attribute: operation is Operation.ADD}

        async def send(contact_id: str) -> ItemAnswer:
            return await self.client.update(contact_id, wished, Priority.NORMAL)

        if mode is Mode.SINGLE:
            return await one_by_one(operation, contact_ids, send)
        is_as_wished = self._is_as_wished(operation)
        return await bulk.in_bulk(operation, contact_ids, self.client, wished, is_as_wished, handed_in, self._journal)

    def _is_as_wished(self, operation: Operation) -> bulk.IsAsWished:
        async def is_as_wished(contact_id: str) -> ItemAnswer:
            contact = await self.client.read(contact_id)
            if isinstance(contact, ItemAnswer):
                return contact
            agrees = self.facet(operation).is_done(contact)
            return ItemAnswer(ItemStatus.DONE) if agrees else ItemAnswer(ItemStatus.REFUSED, NOT_APPLIED)

        return is_as_wished
