"""The blocked plan that waits for a person: at most one per ledger, gone without a trace when dropped."""

import json
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from deltalake import DeltaTable, Field, QueryBuilder, Schema, write_deltalake
from deltalake.schema import PrimitiveType

from voyado_operator.domain.arrow import ArrowStream
from voyado_operator.domain.plan import WaitingPlan
from voyado_operator.ledger.changelog import vacuum_all
from voyado_operator.ledger.failures import unavailable

_SCHEMA = Schema([Field("contact_id", PrimitiveType("string")), Field("op", PrimitiveType("string"))])
# Statistics hold minima and maxima: of `contact_id` they would be ids in the transaction log, which vacuum leaves.
_CONFIGURATION: dict[str, str | None] = {"delta.dataSkippingStatsColumns": "op", "delta.checkpointInterval": "20"}

# In place of the plan while its ids are being written or erased: whoever is killed meanwhile leaves files behind,
# perhaps uncommitted ones, and this tells the next `drop` to erase them.
_UNFINISHED = "unfinished"


class WaitingPlans:
    """The stored plan of the ledger with this `waiting_url`. Every method raises LedgerUnavailable."""

    def __init__(self, table: DeltaTable, url: str) -> None:
        self._table = table
        self._url = url

    @classmethod
    def open(cls, url: str) -> "WaitingPlans":
        """Open the table at `url`, created if absent."""
        with unavailable(url, "open"):
            if not DeltaTable.is_deltatable(url):
                DeltaTable.create(url, _SCHEMA, configuration=_CONFIGURATION)
            return cls(DeltaTable(url), url)

    def store(self, plan: WaitingPlan, changes: ArrowStream) -> None:
        """Replace the stored plan; `changes` are its contact_id and op (add, remove).

        The plan appears with the last commit: killed before it, there is no plan.
        """
        self.drop()
        self._describe(_UNFINISHED)
        with unavailable(self._url, "write"):
            write_deltalake(self._table, changes, mode="append")
        self._describe(json.dumps(asdict(plan), default=datetime.isoformat))

    def load(self) -> WaitingPlan | None:
        """The stored plan, expired or not."""
        stored = self._description
        return _plan(json.loads(stored)) if stored not in ("", _UNFINISHED) else None

    def changes(self) -> ArrowStream:
        """The stored plan's changes: contact_id and op."""
        with unavailable(self._url, "read"):
            return QueryBuilder().register("plan", self._table).execute("select contact_id, op from plan")

    def mark_approved(self) -> None:
        """Remember that a person approved the stored plan."""
        plan = self.load()
        if plan is not None:
            self._describe(json.dumps(asdict(replace(plan, approved=True)), default=datetime.isoformat))

    def forget(self, contact_id: str) -> bool:
        """Erase one contact from the stored plan; return whether it was in there."""
        with unavailable(self._url, "erase from"):
            plan = QueryBuilder().register("plan", self._table)
            found = plan.execute(f"select op from plan where contact_id = '{contact_id}'")
            is_held = bool(sum(batch.num_rows for batch in found))
            if is_held:
                others = plan.execute(f"select contact_id, op from plan where contact_id <> '{contact_id}'")
                write_deltalake(self._table, others, mode="overwrite")
            vacuum_all(self._table)  # in any case: whoever was killed before may have left files behind
        return is_held

    def drop(self) -> None:
        """Forget the stored plan, if any, and erase its ids from the storage at once."""
        if not self._description:
            return
        self._describe(_UNFINISHED)
        with unavailable(self._url, "erase"):
            self._table.delete()
            vacuum_all(self._table)
        self._describe("")

    @property
    def _description(self) -> str:
        return str(self._table.metadata().description or "")

    def _describe(self, description: str) -> None:
        with unavailable(self._url, "write"):
            self._table.alter.set_table_description(description)


def _plan(stored: dict[str, Any]) -> WaitingPlan:
    times = {name: datetime.fromisoformat(stored[name]) for name in ("created_at", "expires_at")}
    return WaitingPlan(**{**stored, **times, "blocked_by": tuple(map(tuple, stored["blocked_by"]))})
