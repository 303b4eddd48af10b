"""The blocked plan that waits for a person: at most one per ledger, gone without a trace when dropped."""

import json
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from deltalake import DeltaTable, Field, QueryBuilder, Schema, write_deltalake
from deltalake.schema import PrimitiveType

from voyado_operator.arrow import ArrowStream
from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.domain.plan import WaitingPlan
from voyado_operator.ledger.changelog import vacuum_all
from voyado_operator.ledger.damage import existing
from voyado_operator.ledger.failures import unavailable

_SCHEMA = Schema([Field("contact_id", PrimitiveType("string")), Field("op", PrimitiveType("string"))])
# Statistics hold minima and maxima: of `contact_id` they would be ids in the transaction log, which vacuum leaves.
_CONFIGURATION: dict[str, str | None] = {"delta.dataSkippingStatsColumns": "op", "delta.checkpointInterval": "20"}

# In place of the plan while its ids are being written or erased: whoever is killed meanwhile leaves files behind,
# perhaps uncommitted ones, and this tells the next `drop` to erase them.
_UNFINISHED = "unfinished"


class WaitingPlans:
    """The stored plan of the ledger with this `waiting_url`. Every method raises LedgerUnavailable.

    The table comes with the first plan: most ledgers never have one, and creating it takes 20 ms.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        with unavailable(url, "open"):
            self._table = existing(url)

    def store(self, plan: WaitingPlan, changes: ArrowStream) -> None:
        """Replace the stored plan; `changes` are its contact_id and op (add, remove).

        The plan appears with the last commit: killed before it, there is no plan.
        """
        self.drop()
        with unavailable(self._url, "write"):
            table = self._table = self._table or DeltaTable.create(self._url, _SCHEMA, configuration=_CONFIGURATION)
            _describe(table, _UNFINISHED)
            write_deltalake(table, changes, mode="append")
            _describe(table, _described(plan))

    def load(self) -> WaitingPlan | None:
        """The stored plan, expired or not."""
        stored = _description(self._table)
        return _plan(json.loads(stored)) if stored not in ("", _UNFINISHED) else None

    def changes(self) -> ArrowStream:
        """The stored plan's changes: contact_id and op. There must be one."""
        with unavailable(self._url, "read"):
            return QueryBuilder().register("plan", self._existing()).execute("select contact_id, op from plan")

    def mark_approved(self) -> None:
        """Remember that a person approved the stored plan."""
        plan = self.load()
        if plan is not None:
            with unavailable(self._url, "write"):
                _describe(self._existing(), _described(replace(plan, approved=True)))

    def forget(self, contact_id: str) -> bool:
        """Erase one contact from the stored plan; return whether it was in there."""
        if self._table is None:
            return False
        with unavailable(self._url, "erase from"):
            _describe(self._table, _description(self._table))  # whoever stores one meanwhile fails: its files may go
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
        if self._table is None or not _description(self._table):
            return
        with unavailable(self._url, "erase"):
            _describe(self._table, _UNFINISHED)
            self._table.delete()
            vacuum_all(self._table)
            _describe(self._table, "")

    def _existing(self) -> DeltaTable:
        if self._table is None:
            raise LedgerUnavailable(f"there is no waiting plan at {self._url}")
        return self._table


def _description(table: DeltaTable | None) -> str:
    return str(table.metadata().description or "") if table else ""


def _describe(table: DeltaTable, description: str) -> None:
    table.alter.set_table_description(description)


def _described(plan: WaitingPlan) -> str:
    return json.dumps(asdict(plan), default=datetime.isoformat)


def _plan(stored: dict[str, Any]) -> WaitingPlan:
    times = {name: datetime.fromisoformat(stored[name]) for name in ("created_at", "expires_at")}
    return WaitingPlan(**{**stored, **times, "blocked_by": tuple(map(tuple, stored["blocked_by"]))})
