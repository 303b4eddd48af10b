"""The target that an edit or a deletion leaves: who is taken off it, and the release that lets another drive it.

The order of an edit: plan → guards, maybe an approval → proof of the new target on one contact → additions → removals
from the former target → release. Nothing is written while the plan is blocked, or in mode Plan.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import FormerTarget, LedgerRef
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.delivery import PARKED_FOR, Account, Operation
from voyado_operator.domain.errors import ConnectionMissing, CredentialsInvalid, InvalidSpec, RunError
from voyado_operator.domain.moments import microseconds
from voyado_operator.domain.plan import FormerPlan, Window
from voyado_operator.domain.target import OFF_LABEL, Side, TargetIdentity
from voyado_operator.reconcile.access import tenant_of
from voyado_operator.reconcile.canary import Canary
from voyado_operator.reconcile.delivery import Delivery
from voyado_operator.reconcile.earlier_batches import EarlierBatches
from voyado_operator.reconcile.journal import BatchJournal
from voyado_operator.reconcile.ports import Ledger, Target
from voyado_operator.reconcile.progress import Tracker
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.screening import Departures, everybody
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Former:
    """The former target and its ledger. `target` is None where it cannot be reached; `unreachable` says why."""

    side: Side
    ledger: Ledger
    target: Target | None
    unreachable: RunError | None

    @property
    def identity(self) -> TargetIdentity:
        return self.side.target

    def shown(self, members: int) -> FormerTarget:
        """For the status, while it is not left yet."""
        return FormerTarget(target=str(self.identity), members=members, ledger=self.ledger.reference())


@dataclass(frozen=True, slots=True)
class Released:
    """The ledger of a target that was left altogether."""

    ledger: Ledger


@dataclass(frozen=True, slots=True)
class Compared:
    """How many members a former target has, and how many removals wait for a bulk update of an earlier run."""

    members: int
    waiting: int


@dataclass(frozen=True, slots=True)
class LeavingTarget:
    """Takes an activation's people off a target that it leaves."""

    activation: SegmentActivation
    run_id: str
    around: Surroundings
    registry: Registry
    worker: Worker
    tracker: Tracker
    is_stopping: Callable[[], object]

    async def find(self, url: str, known: LedgerRef | None) -> Former | Released | None:
        """Return the target whose ledger lay at `url`; `known` is what the status vouches for, if it tells of it.

        None if the ledger is gone, or is not the one that the status tells of. Raises LedgerUnavailable.
        """
        ledger = await self.worker(self.around.adapters.ledger_wherever, url)
        if ledger is None or not await self.worker(_is_believed, ledger, known):
            return None
        side = await self.worker(self._side, ledger)
        if side is None:
            return Released(ledger)
        try:
            tenant = await tenant_of(self._connection_to(side), self.around)
            return Former(side, ledger, tenant.former(side.target, side.on_exit, side.run), None)
        except (ConnectionMissing, CredentialsInvalid, InvalidSpec) as error:
            return Former(side, ledger, None, error)

    @property
    def _withdraws(self) -> bool:
        return self.activation.spec.deletion_policy == "Withdraw"

    def _side(self, ledger: Ledger) -> Side | None:
        """Take the side that this activation has in the ledger, if it is an owner."""
        owner = self.around.owner(self.activation)
        definition = ledger.info.owners.get(owner)
        if definition is None:
            return None
        identity = TargetIdentity.defined(definition)
        on_exit = _taken_off(identity) if self._withdraws else str(definition["on_exit"])
        side = Side(owner, identity, str(definition["connection"]), on_exit, self.run_id)
        ledger.take_side(side)
        return side

    def _connection_to(self, side: Side) -> VoyadoConnection:
        """The connection to the former tenant: the one of its former name, or else another to the same tenant."""
        namespace, host = self.activation.metadata.namespace, side.target.host
        found = self.registry.connections_to(host, namespace)
        if not found:
            raise ConnectionMissing(
                f"no VoyadoConnection in the namespace {namespace} goes to {host} (it was {side.connection}): create it"
                " again, or write deletionPolicy: Retain to leave the contacts on the target"
            )
        return min(found, key=lambda one: one.metadata.name != side.connection)

    async def compare(self, workspace: Workspace, former: Former) -> Compared:
        """Find who is to be taken off. Raises CredentialsInvalid or LedgerUnavailable.

        With Withdraw that is everybody; else only those who left the audience too. A no that was written because an
        audience said so is not taken back.
        """
        if former.identity.on_enter == "Decline":
            return Compared(0, 0)
        earlier = await self._earlier_batches(former)
        members = await self.worker(self._fill, workspace, former, self.around.clock())
        return Compared(members, await earlier.hold(workspace.former) if earlier else 0)

    async def _earlier_batches(self, former: Former) -> EarlierBatches | None:
        """None where nothing is sent in bulk, or nothing can be sent."""
        if former.identity.kind != "label" or former.target is None:
            return None
        table = await self.worker(self.around.adapters.batches, former.ledger)
        writing = self.registry.own_writes.of(former.identity.host)
        earlier = EarlierBatches(former.target, former.ledger, table, self.worker, self.around.clock, writing)
        await earlier.settle()
        return earlier

    def _fill(self, workspace: Workspace, former: Former, now: datetime) -> int:
        members = workspace.former.fill(former.ledger.standing())
        if not self._withdraws:
            workspace.former.keep_the_audience()
        self.refused_lately(workspace, former, now)
        if former.target is not None and not former.target.is_repeat_safe:
            workspace.former.hold_unanswered()
        return members

    def refused_lately(self, workspace: Workspace, former: Former, now: datetime) -> int:
        """Keep those back whom Engage refused to take off lately; return how many are tried again later.

        One that was refused as often as there are waits stays on the target for good. Blocking. Raises
        LedgerUnavailable.
        """
        refused = self.around.adapters.parked(former.ledger).items()
        if refused is None:
            return 0
        workspace.former.park(refused, self.activation.metadata.generation, microseconds(now))
        return workspace.former.count_tried_again(enough=len(PARKED_FOR))

    def weigh(self, workspace: Workspace, former: Former, members: int, since: datetime) -> FormerPlan:
        """What the guards judge. Blocking. Raises LedgerUnavailable."""
        earlier, leaving = workspace.former.count_beside(former.ledger.sent(Operation.REMOVE, since))
        window = Window(additions=0, removals=earlier, peak=former.ledger.peak(since, members))
        unreachable = str(former.unreachable or "") if self._withdraws else ""
        return FormerPlan(str(former.identity), members, leaving, window, unreachable)

    async def take_off(
        self, workspace: Workspace, former: Former, account: Account, approval: str | None = None
    ) -> None:
        """Send what may go out, and count it in `account`. Raises what Delivery.deliver raises."""
        due = await self.worker(workspace.former.count)
        if former.target is None or not due:
            return
        self.tracker.enter("Withdrawing", due)
        await self.worker(former.ledger.claim)
        writing = self.registry.own_writes.of(former.identity.host)
        delivery = Delivery(
            workspace=workspace.former,
            target=former.target,
            ledger=former.ledger,
            parked=await self.worker(self.around.adapters.parked, former.ledger),
            generation=self.activation.metadata.generation,
            account=account,
            worker=self.worker,
            clock=self.around.clock,
            screen=everybody if former.identity.kind == "label" else Departures(former.target),
            # What filled the ledger has shown how it works there.
            canary=Canary(former.target, lambda _: True, lambda _: None, self.registry.trials, writing),
            approvals={Operation.REMOVE: approval} if approval else {},
            is_stopping=self.is_stopping,
            advance=self.tracker.advance,
            batches=BatchJournal(partial(self.around.adapters.batches, former.ledger), self.around.clock),
        )
        await delivery.deliver([Operation.REMOVE])


def _is_believed(ledger: Ledger, known: LedgerRef | None) -> bool:
    """Without a status, as after a first run that was killed, the ledger's own word is taken for whose it is."""
    return known is None or known.mark is None or ledger.is_vouched_for(known)


def _taken_off(identity: TargetIdentity) -> str:
    """What leaving writes when members are withdrawn, whatever onExit says."""
    return OFF_LABEL if identity.kind == "label" else "Decline"
