"""The sending part of a run: claim the ledger, screen, try, send, write down."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from voyado_operator.api.activation_status import FormerTarget, LedgerRef
from voyado_operator.domain.delivery import Operation, Result
from voyado_operator.domain.matching import Match, MatchStatus
from voyado_operator.domain.trust import Trust
from voyado_operator.reconcile.canary import Canary
from voyado_operator.reconcile.capabilities import Proofs
from voyado_operator.reconcile.delivery import Delivery
from voyado_operator.reconcile.findings import Assignment, Findings
from voyado_operator.reconcile.journal import BatchJournal
from voyado_operator.reconcile.planning import Decision
from voyado_operator.reconcile.ports import Ledger, Target
from voyado_operator.reconcile.preparation import Prepared
from voyado_operator.reconcile.progress import Tracker
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.screening import Decisions, Screen, everybody
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Workspace

Claimed = Callable[[LedgerRef, FormerTarget | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Applying:
    """Of one run. `claimed` makes the status know the claim before anything is sent on its account."""

    assignment: Assignment
    around: Surroundings
    registry: Registry
    worker: Worker
    tracker: Tracker
    is_stopping: Callable[[], object]
    findings: Findings
    claimed: Claimed

    async def apply(self, workspace: Workspace, target: Target, prepared: Prepared, decision: Decision) -> None:
        """Send what is not held. Raises what Delivery.deliver and Target.check raise."""
        ledger = prepared.ledger
        due = sum([await self.worker(workspace.count, operation) for operation in Operation])
        if not due:
            if not self.findings.violations:
                await self.worker(self._settle_without_sending, prepared)
            return
        self.tracker.enter("Applying", due)
        await target.check()
        is_first = ledger.is_empty
        await self.worker(ledger.claim, prepared.succeeds)
        await self.claimed(await self.worker(ledger.reference), self.findings.former)
        moved: list[str] = []
        screen = self._screen(workspace, target, prepared, moved.extend)
        try:
            await (await self._delivery(workspace, target, ledger, screen, decision)).deliver(self.assignment.order)
            is_flawless = self.findings.account.counts[Operation.ADD, Result.ACCEPTED] == due
            if is_first and is_flawless:
                await self.worker(ledger.found)
            else:
                await self.worker(ledger.compact, self.around.clock())
        finally:
            await self._look_up_again(moved)
        if self.findings.is_baselining and not decision.waiting:
            await self.worker(ledger.mark_baselined)
        is_all_out = self.findings.account.settled == due and not self.findings.under_way
        if decision.is_released and is_all_out and not self._has_pending_rows:
            await self.worker(self.around.adapters.waiting_plans(ledger).drop)
            self.findings.waiting = None

    def _settle_without_sending(self, prepared: Prepared) -> None:
        """Own the target, and have looked at it, though there is nothing to send."""
        ledger = prepared.ledger
        if prepared.trust is Trust.RESUMED or self.assignment.side.owner not in ledger.info.owners:
            ledger.claim(prepared.succeeds)
        if ledger.info.is_baselining:
            ledger.mark_baselined()

    @property
    def _has_pending_rows(self) -> bool:
        """Whether rows wait for their look-up: until then removals are held, approved ones too."""
        return self.findings.audience is not None and self.findings.audience.pending > 0

    async def _delivery(
        self, workspace: Workspace, target: Target, ledger: Ledger, screen: Screen, decision: Decision
    ) -> Delivery:
        has_members = self.findings.diff is not None and self.findings.diff.counts.members > 0
        registry = self.registry
        proofs = Proofs(registry.capabilities, self.assignment.connection, has_members, self.around.clock)
        writing = registry.own_writes.of(self.assignment.identity.host)
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
            canary=Canary(target, proofs.is_proven, proofs.prove, registry.trials, writing),
            approvals=decision.approvals,
            is_stopping=self.is_stopping,
            advance=self.tracker.advance,
            batches=BatchJournal(partial(self.around.adapters.batches, ledger), self.around.clock),
        )

    def _screen(
        self, workspace: Workspace, target: Target, prepared: Prepared, moved: Callable[[Sequence[str]], None]
    ) -> Screen:
        if self.assignment.is_a_decision:
            return Decisions(
                target,
                workspace,
                self.worker,
                prepared.doubted_since,
                self.findings.is_baselining,
                moved,
                self.around.adapters.suppression(),
            )
        return everybody

    async def _look_up_again(self, moved: Sequence[str]) -> None:
        """Whoever has another address by now: the row's may be somebody else's."""
        if not moved:
            return
        now = self.around.clock()
        identities = await self.worker(self.around.adapters.identities, self.assignment.identity)
        answers = [(Match(address, MatchStatus.UNMATCHED), now) for address in moved]
        await self.worker(identities.remember, answers, now)
