"""Taking every member of a ledger off its target: a run with an empty audience; no guard, since it was asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.common import ObjectKey
from voyado_operator.domain.delivery import Account, Operation, Result
from voyado_operator.domain.errors import ConnectionMissing, EngageUnavailable, InvalidSpec
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
from voyado_operator.workspace import Ambiguous


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """How many contacts were taken off, how many could not be, and what Engage said of these."""

    contacts: int
    left: int
    why: str = ""

    def __add__(self, other: "Withdrawn") -> "Withdrawn":
        why = ", ".join(said for said in (self.why, other.why) if said)
        return Withdrawn(self.contacts + other.contacts, self.left + other.left, why)

    def __str__(self) -> str:
        left = f"; {self.left} stay on it{f': {self.why}' if self.why else ''}" if self.left else ""
        return f"{self.contacts} contacts were taken off{left}"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Empties ledgers that `owner` holds, through the connections they were filled through."""

    around: Surroundings
    registry: Registry
    worker: Worker
    is_stopping: Callable[[], object]
    tracker: Tracker

    async def empty(self, url: str, owner: str, activation: SegmentActivation, run_id: str) -> Withdrawn:
        """Take the members of the ledger at `url` off its target.

        Whom Engage refuses to take off, or a trigger may have been fired for already, is left. A ledger that is gone
        or somebody else's by now is nothing of ours to empty. Raises RunError while it cannot go on, or Interrupted.
        """
        ledger = await self.worker(self.around.adapters.existing_ledger, url)
        if ledger is None or await self.worker(lambda: ledger.owner) != owner:
            return Withdrawn(0, 0)
        definition = await self.worker(lambda: ledger.target)
        if definition["onEnter"] == "Decline":  # whoever has said yes since then must not be told no again
            return Withdrawn(0, 0)
        target = await self._target(definition, activation, run_id)
        return await self._send(ledger, target, activation)

    async def _target(self, definition: dict[str, str], activation: SegmentActivation, run_id: str) -> Target:
        name = definition["connection"]
        watched = self.registry.connections.get(ObjectKey(activation.metadata.namespace, name))
        if watched is None:
            raise ConnectionMissing(
                f"the target's members cannot be withdrawn without the VoyadoConnection {name}: create it again, "
                "or write deletionPolicy: Retain to leave them"
            )
        tenant_host = watched.latest.spec.host
        if definition.get("host", tenant_host) != tenant_host:
            raise InvalidSpec(
                f"the members to be withdrawn are contacts of {definition['host']}, and the VoyadoConnection {name} is "
                f"of {tenant_host} by now: give it its former URL, or write deletionPolicy: Retain to leave them"
            )
        tenant = await tenant_of(watched.latest, self.around)
        return tenant.withdrawing(definition, run_id)

    async def _send(self, ledger: Ledger, target: Target, activation: SegmentActivation) -> Withdrawn:
        account, waiting = Account(), 0
        async with self.worker.entered(self.around.adapters.workspace(Ambiguous.SKIP)) as workspace:
            earlier = await self._earlier_batches(ledger, target)
            await self.worker(lambda: workspace.diff(ledger.standing()))
            waiting = await earlier.hold(workspace) if earlier else 0
            unanswered = 0 if target.is_repeat_safe else await self.worker(workspace.hold_unanswered)
            members = await self.worker(workspace.count, Operation.REMOVE)
            if not members and not waiting:
                return Withdrawn(0, unanswered)
            await self.worker(ledger.claim)
            self.tracker.enter("Withdrawing", members)
            delivery = Delivery(
                workspace=workspace,
                target=target,
                ledger=ledger,
                parked=await self.worker(self.around.adapters.parked, ledger),
                generation=activation.metadata.generation,
                account=account,
                worker=self.worker,
                clock=self.around.clock,
                screen=everybody if ledger.target["kind"] == "label" else Departures(target),
                canary=Canary(
                    target, lambda _: True, lambda _: None, self.registry.trials
                ),  # what filled the ledger has shown it
                approvals={},
                is_stopping=self.is_stopping,
                advance=self.tracker.advance,
                batches=BatchJournal(partial(self.around.adapters.batches, ledger), self.around.clock),
            )
            await delivery.deliver([Operation.REMOVE])
        if account.total(Result.UNKNOWN):
            raise EngageUnavailable(f"not all contacts could be taken off the target yet: {account.described()}")
        if waiting:
            raise EngageUnavailable(f"{waiting} wait for a bulk update that Engage is still working on")
        return Withdrawn(
            account.total(Result.ACCEPTED), unanswered + account.total(Result.REJECTED), account.described()
        )

    async def _earlier_batches(self, ledger: Ledger, target: Target) -> EarlierBatches | None:
        """None where nothing is sent in bulk."""
        if ledger.target["kind"] != "label":
            return None
        table = await self.worker(self.around.adapters.batches, ledger)
        earlier = EarlierBatches(target, ledger, table, self.worker, self.around.clock)
        await earlier.settle()
        return earlier
