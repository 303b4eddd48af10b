"""What makes the parts of a run: the seam between the run and every adapter."""

from datetime import datetime
from typing import Protocol

from voyado_operator.api.activation import Audience, SegmentActivation
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.target import TargetIdentity
from voyado_operator.reconcile.batch_ports import RememberedBatches
from voyado_operator.reconcile.ports import Engage, Identities, Ledger, Parked, Source, Target, WaitingPlans
from voyado_operator.workspace import Ambiguous, Workspace


class Tenant(Protocol):
    """One connection with its key, for one run or probe."""

    @property
    def engage(self) -> Engage: ...

    def target(self, activation: SegmentActivation, run_id: str) -> Target:
        """Raises InvalidSpec when the tenant has no way to show the target."""
        ...

    def withdrawing(self, described: dict[str, str], run_id: str) -> Target:
        """The target as a ledger describes it, whose removal takes members off whatever onExit said."""
        ...


class Adapters(Protocol):
    """Makes the parts of a run; app.py says of which classes."""

    def identify(self, activation: SegmentActivation, connection: VoyadoConnection) -> TargetIdentity: ...

    def source(self, audience: Audience, uri: str | None) -> Source:
        """Raises InvalidSpec."""
        ...

    def tenant(self, connection: VoyadoConnection, api_key: str) -> Tenant:
        """Raises InvalidSpec when the operator may not talk to the connection's host."""
        ...

    def described(self, identity: TargetIdentity, connection: str) -> dict[str, str]:
        """The target in the words of its ledger."""
        ...

    def new_ledger(self, url: str, owner: str, target: dict[str, str]) -> Ledger: ...

    def ledger_url(self, identity: TargetIdentity) -> str:
        """Where the target's ledger lies, or would."""
        ...

    def set_damaged_aside(self, identity: TargetIdentity, at: datetime) -> list[str]:
        """Move away whatever cannot be read of the target's tables; return their URLs. Raises LedgerUnavailable."""
        ...

    def set_ledger_aside(self, identity: TargetIdentity, at: datetime) -> list[str]:
        """Move the target's ledger away; return its URL. Raises LedgerUnavailable."""
        ...

    def existing_ledger(self, url: str) -> Ledger | None: ...

    def identities(self, identity: TargetIdentity) -> Identities: ...

    def waiting_plans(self, ledger: Ledger) -> WaitingPlans: ...

    def parked(self, ledger: Ledger) -> Parked: ...

    def batches(self, ledger: Ledger) -> RememberedBatches: ...

    def workspace(self, ambiguous: Ambiguous) -> Workspace: ...
