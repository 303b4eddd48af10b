"""The sending part of a run: claim the ledger, screen, try, send, write down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from voyado_operator.domain.delivery import Operation, Result
from voyado_operator.domain.matching import Match, MatchStatus
from voyado_operator.reconcile.canary import Canary
from voyado_operator.reconcile.capabilities import Proofs
from voyado_operator.reconcile.delivery import Delivery
from voyado_operator.reconcile.findings import Assignment, Findings
from voyado_operator.reconcile.journal import BatchJournal
from voyado_operator.reconcile.planning import Decision
from voyado_operator.reconcile.ports import Ledger, Target
from voyado_operator.reconcile.progress import Tracker
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.screening import Decisions, Screen, everybody
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Applying:
    """Of one run."""

    assignment: Assignment
    around: Surroundings
    registry: Registry
    worker: Worker
    tracker: Tracker
    is_stopping: Callable[[], object]
    findings: Findings

    async def apply(self, workspace: Workspace, target: Target, ledger: Ledger, decision: Decision) -> None:
        """Send what is not held. Raises what Delivery.deliver and Target.check raise."""
        due = sum([await self.worker(workspace.count, operation) for operation in Operation])
        if not due:
            if ledger.is_baselining and not self.findings.violations:
                await self.worker(ledger.mark_baselined)
            return
        self.tracker.enter("Applying", due)
        await target.check()
        is_first = ledger.is_empty
        await self.worker(ledger.claim)
        moved: list[str] = []
        screen = self._screen(workspace, target, ledger, moved.extend)
        try:
            await (await self._delivery(workspace, target, ledger, screen, decision)).deliver(self.assignment.order)
            is_flawless = self.findings.account.counts[Operation.ADD, Result.ACCEPTED] == due
            if is_first and is_flawless:
                await self.worker(ledger.found)
            else:
                await self.worker(ledger.compact, self.around.clock())
        finally:
            await self._look_up_again(moved)
        if ledger.is_baselining and not decision.waiting:
            await self.worker(ledger.mark_baselined)
        is_all_out = self.findings.account.settled == due and not self.findings.under_way
        if decision.is_released and is_all_out:
            await self.worker(self.around.adapters.waiting_plans(ledger).drop)
            self.findings.waiting = None

    async def _delivery(
        self, workspace: Workspace, target: Target, ledger: Ledger, screen: Screen, decision: Decision
    ) -> Delivery:
        has_members = self.findings.diff is not None and self.findings.diff.counts.members > 0
        registry, key = self.registry, self.assignment.activation.metadata.key
        proofs = Proofs(registry.capabilities, self.assignment.connection, has_members, self.around.clock)
        return Delivery(
            workspace=workspace,
            target=target,
            ledger=ledger,
            parked=await self.worker(self.around.adapters.parked, ledger),
            generation=self.assignment.activation.metadata.generation,
            account=self.findings.account,
            worker=self.worker,
            clock=self.around.clock,
            screen=screen,
            canary=Canary(
                target, proofs.is_proven, proofs.prove, registry.trials, partial(registry.labels_beside, key)
            ),
            approvals=decision.approvals,
            is_stopping=self.is_stopping,
            advance=self.tracker.advance,
            batches=BatchJournal(partial(self.around.adapters.batches, ledger), self.around.clock),
        )

    def _screen(
        self, workspace: Workspace, target: Target, ledger: Ledger, moved: Callable[[Sequence[str]], None]
    ) -> Screen:
        if self.assignment.is_a_decision:
            return Decisions(target, workspace, self.worker, ledger.lost_at, ledger.is_baselining, moved)
        return everybody

    async def _look_up_again(self, moved: Sequence[str]) -> None:
        """Whoever has another address by now: the row's may be somebody else's."""
        if not moved:
            return
        now = self.around.clock()
        identities = await self.worker(self.around.adapters.identities, self.assignment.identity)
        answers = [(Match(address, MatchStatus.UNMATCHED), now) for address in moved]
        await self.worker(identities.remember, answers, now)
