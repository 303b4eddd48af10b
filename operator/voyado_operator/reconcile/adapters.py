"""What makes the parts of a run: the seam between the run and every adapter."""

from datetime import datetime
from typing import Protocol

from voyado_operator.api.activation import Audience, SegmentActivation
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.target import TargetIdentity
from voyado_operator.reconcile.batch_ports import RememberedBatches
from voyado_operator.reconcile.ports import (
    Engage,
    Identities,
    Ledger,
    Parked,
    Share,
    Source,
    Suppression,
    Target,
    WaitingPlans,
)
from voyado_operator.workspace import Ambiguous, Workspace


class Tenant(Protocol):
    """One connection with its key, for one run or probe."""

    @property
    def engage(self) -> Engage: ...

    def target(self, activation: SegmentActivation, run_id: str) -> Target:
        """Raises InvalidSpec when the tenant has no way to show the target."""
        ...

    def former(self, identity: TargetIdentity, on_exit: str, run_id: str) -> Target:
        """The target as its ledger describes it, to take members off it."""
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

    def ledger_url(self, identity: TargetIdentity) -> str:
        """Where the target's ledger lies, or would."""
        ...

    def is_of_same_target(self, one: str, other: str) -> bool:
        """Whether two URLs, maybe below different roots, are of the ledger of one target."""
        ...

    def new_ledger(self, identity: TargetIdentity) -> Ledger:
        """An empty ledger of the target, which nobody owns."""
        ...

    def existing_ledger(self, url: str) -> Ledger | None: ...

    def ledger_wherever(self, url: str) -> Ledger | None:
        """The ledger that lay at `url`: below the present root, or else still there."""
        ...

    def set_damaged_ledger_aside(self, url: str, at: datetime) -> list[str]:
        """As `set_damaged_aside`, of the ledger that lies or lay at `url`, which no run of the caller's may hold."""
        ...

    def set_damaged_aside(self, identity: TargetIdentity, former: str | None, at: datetime) -> list[str]:
        """Move away whatever cannot be read of the target's tables; return their URLs. Raises LedgerUnavailable.

        So too of a former target, whose ledger lies or lay at the URL `former`.
        """
        ...

    def share(self, ledger: str) -> Share:
        """A share of the ledger at this URL, yet to be taken."""
        ...

    def suppression(self) -> Suppression:
        """Who was forgotten, of all tenants."""
        ...

    def identities(self, identity: TargetIdentity) -> Identities: ...

    def waiting_plans(self, ledger: Ledger) -> WaitingPlans: ...

    def parked(self, ledger: Ledger) -> Parked: ...

    def batches(self, ledger: Ledger) -> RememberedBatches: ...

    def workspace(self, ambiguous: Ambiguous) -> Workspace: ...
