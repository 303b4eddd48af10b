"""The column of decisions, compared with what the run before saw of it. Blocking."""

from dataclasses import replace
from hashlib import sha256

from voyado_operator.api.activation import Audience
from voyado_operator.domain.decisions import DecisionColumn, moved
from voyado_operator.reconcile.ports import Ledger
from voyado_operator.workspace import Workspace


def looked_at(workspace: Workspace, ledger: Ledger, audience: Audience) -> DecisionColumn:
    """Another audience in the manifest starts anew: its column is another one. Raises LedgerUnavailable."""
    described, seen = _described(audience), ledger.decisions_seen
    before = seen["rows"] if seen and seen["audience"] == described else {}
    compared, different = moved(before, workspace.sample_decisions())
    return replace(workspace.decision_column, compared=compared, moved=different)


def remember(workspace: Workspace, ledger: Ledger, audience: Audience, column: DecisionColumn) -> None:
    """Keep a sample for the next run, unless it is known, or moves: it is wrong until it is as it was, or another one.

    Raises LedgerUnavailable.
    """
    seen = {"audience": _described(audience), "rows": dict(workspace.sample_decisions())}
    if not column.is_moving and ledger.decisions_seen != seen:
        ledger.see_decisions(seen)


def _described(audience: Audience) -> str:
    return sha256(audience.model_dump_json().encode()).hexdigest()[:16]
