"""One run's audience against the ledger, in an in-memory DuckDB. Blocking throughout."""

from voyado_operator.workspace.model import Addresses, Ambiguous, Columns, Detail, Lot
from voyado_operator.workspace.workspace import Workspace

__all__ = ["Addresses", "Ambiguous", "Columns", "Detail", "Lot", "Workspace"]
