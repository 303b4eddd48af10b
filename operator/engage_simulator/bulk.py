"""Bulk updates: taken in at once, worked on later.

The real status object is an untyped "status object for batch" (engage-api.md 5), so it has several shapes here, and
whoever reads it must cope with all of them. That a row may name its contact by `contactId` is unproven too.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from engage_simulator.tenant import Refused, Tenant

MOST_ROWS = 4000
SHAPES = ("detailed", "counts", "opaque", "never")


@dataclass(slots=True)
class Batch:
    """Rows, and what became of them."""

    rows: list[dict[str, Any]]
    may_begin: asyncio.Event = field(default_factory=asyncio.Event)
    worked_on: asyncio.Event = field(default_factory=asyncio.Event)
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_finished(self) -> bool:
        return self.worked_on.is_set()


@dataclass(slots=True)
class Batches:
    """All batches of a tenant. `delay` is in seconds; `shape` is one of SHAPES.

    A batch that is taken in while `is_holding` waits until it is let go.
    """

    delay: float = 0.05
    is_holding: bool = False
    shape: str = "detailed"
    batches: dict[str, Batch] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, tenant: Tenant, rows: Any) -> str:
        """Take the rows in; return the batch id."""
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Refused(400, "NoData", "The body must be an array of contacts")
        if not 0 < len(rows) <= MOST_ROWS:
            raise Refused(400, "TooManyContacts", f"A batch has 1 to {MOST_ROWS} contacts")
        batch_id, batch = str(uuid4()), Batch(rows)
        if not self.is_holding:
            batch.may_begin.set()
        self.batches[batch_id] = batch
        task = asyncio.create_task(self._work(tenant, batch))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return batch_id

    def status(self, batch_id: str) -> dict[str, Any]:
        batch = self.batches.get(batch_id)
        if batch is None:
            raise Refused(404, "BatchNotFound", "There is no such batch")
        if not batch.is_finished or self.shape == "never":
            return {"batchId": batch_id, "status": "Processing"}
        if self.shape == "opaque":
            return {"batchId": batch_id, "status": "Completed"}
        failed = len(batch.errors)
        counts = {"total": len(batch.rows), "succeeded": len(batch.rows) - failed, "failed": failed}
        answer = {"batchId": batch_id, "status": "Completed", **counts}
        return answer | {"errors": batch.errors} if self.shape == "detailed" else answer

    async def let_go(self, batch_id: str) -> None:
        """Work on a batch that is held back; return when it is finished."""
        batch = self.batches.get(batch_id)
        if batch is None:
            raise Refused(404, "BatchNotFound", "There is no such batch")
        batch.may_begin.set()
        await batch.worked_on.wait()

    async def _work(self, tenant: Tenant, batch: Batch) -> None:
        await batch.may_begin.wait()
        await asyncio.sleep(self.delay)
        for number, row in enumerate(batch.rows):
            try:
                if "contactId" in row and "bulkIgnoresContactId" in tenant.quirks:
                    continue
                if "contactId" in row and "bulkCreates" in tenant.quirks:
                    row = {**row, "contactId": str(uuid4())}
                    tenant.add([{"id": row["contactId"]}])
                contact = _contact(tenant, row)
                tenant.update(contact, {name: value for name, value in row.items() if name != "contactId"})
            except Refused as refused:
                error = {"index": number, "contactId": row.get("contactId"), "errorCode": refused.code}
                batch.errors.append(error)
        batch.worked_on.set()


def _contact(tenant: Tenant, row: dict[str, Any]) -> Any:
    if "contactId" in row:
        return tenant.contact(str(row["contactId"]))
    return tenant.contact(tenant.id_of(str(row.get("email", "")), None))
