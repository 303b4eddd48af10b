"""The sending part of a run: claim the ledger, screen, try, send, write down."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from voyado_operator.api.activation_status import FormerTarget, LedgerRef
from voyado_operator.domain import clocks
from voyado_operator.domain.delivery import Operation, Result
from voyado_operator.domain.errors import EngageUnavailable
from voyado_operator.domain.matching import Match, MatchStatus
from voyado_operator.domain.trust import Trust
from voyado_operator.reconcile.canary import Canary
from voyado_operator.reconcile.capabilities import Proofs
from voyado_operator.reconcile.delivery import Delivery
from voyado_operator.reconcile.findings import Assignment, Findings
from voyado_operator.reconcile.journal import BatchJournal
from voyado_operator.reconcile.opt_ins import OptIns
from voyado_operator.reconcile.planning import Decision
from voyado_operator.reconcile.ports import Engage, Target
from voyado_operator.reconcile.preparation import Prepared
from voyado_operator.reconcile.progress import Tracker
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.screening import Addresses, Decisions, OptOuts, Screen, everybody
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Workspace

Claimed = Callable[[LedgerRef, FormerTarget | None], Awaitable[None]]
logger = logging.getLogger(__name__)


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

    async def apply(
        self, workspace: Workspace, target: Target, prepared: Prepared, decision: Decision, engage: Engage
    ) -> None:
        """Send what is not held. Raises what Delivery.deliver and Target.check raise."""
        ledger = prepared.ledger
        due = sum([await self.worker(workspace.count, operation) for operation in Operation])
        if not due:
            if not self.findings.is_blocked:
                await self.worker(self._settle_without_sending, prepared)
            return
        self.tracker.enter("Applying", due)
        await target.check()
        if self.assignment.is_a_decision:
            await self._compare_clocks(workspace, engage)
            if self.findings.held_by_clock == due:
                return
        is_first = ledger.is_empty
        await self.worker(ledger.claim, prepared.succeeds)
        await self.claimed(await self.worker(ledger.reference), self.findings.former)
        moved: list[str] = []
        addresses = Addresses(workspace, moved.extend)
        delivery = await self._delivery(workspace, target, prepared, decision, engage, addresses)
        try:
            await delivery.deliver(self.assignment.order)
            is_flawless = self.findings.account.counts[Operation.ADD, Result.ACCEPTED] == due
            if is_first and is_flawless:
                await self.worker(ledger.found)
            else:
                await self.worker(ledger.compact, self.around.clock())
        finally:
            await self._look_up_again(moved)
        if self.findings.is_baselining and not decision.waiting and not self.findings.held_by_clock:
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
        self,
        workspace: Workspace,
        target: Target,
        prepared: Prepared,
        decision: Decision,
        engage: Engage,
        addresses: Addresses,
    ) -> Delivery:
        has_members = self.findings.diff is not None and self.findings.diff.counts.members > 0
        registry, ledger, clock = self.registry, prepared.ledger, self._clock(engage)
        proofs = Proofs(registry.capabilities, self.assignment.connection, has_members, self.around.clock)
        writing = registry.own_writes.of(self.assignment.identity.host)
        screen: Screen = everybody
        if self.assignment.is_a_decision:
            screen, target = self._screen(workspace, target, prepared, addresses, proofs, clock)
        return Delivery(
            workspace=workspace,
            target=target,
            ledger=ledger,
            parked=await self.worker(self.around.adapters.parked, ledger),
            generation=self.assignment.activation.metadata.generation,
            account=self.findings.account,
            worker=self.worker,
            clock=clock,
            screen=screen,
            canary=Canary(target, proofs.is_proven, proofs.prove, registry.trials, writing),
            approvals=decision.approvals,
            is_stopping=self.is_stopping,
            advance=self.tracker.advance,
            batches=BatchJournal(partial(self.around.adapters.batches, ledger), self.around.clock),
        )

    def _screen(
        self,
        workspace: Workspace,
        target: Target,
        prepared: Prepared,
        addresses: Addresses,
        proofs: Proofs,
        clock: Callable[[], datetime],
    ) -> tuple[Screen, Target]:
        """Who of a batch is sent, and the target that opts in nobody without a look."""
        facet = target.facet(Operation.ADD)
        if facet is None or not facet.value:
            return Decisions(target, OptOuts(target, workspace, self.worker, addresses).screened), target

        def is_unproven(contacts: int) -> bool:
            capability = target.capability(Operation.ADD, contacts)
            return capability is not None and not proofs.is_proven(capability)

        opt_ins = OptIns(
            target=target,
            facet=facet,
            workspace=workspace,
            worker=self.worker,
            clock=clock,
            addresses=addresses,
            lost_at=prepared.doubted_since,
            is_baselining=self.findings.is_baselining,
            is_unproven=is_unproven,
            suppression=self.around.adapters.suppression(),
        )
        return Decisions(target, opt_ins.screened), target.judged_by(opt_ins.judge)

    def _clock(self, engage: Engage) -> Callable[[], datetime]:
        """What is recorded of people's decisions is compared with Engage's dates, and dated by Engage's clock."""
        if not self.assignment.is_a_decision:
            return self.around.clock
        return lambda: engage.time() or self.around.clock()

    async def _compare_clocks(self, workspace: Workspace, engage: Engage) -> None:
        """Opt nobody in while nobody can tell which of two decisions is the newer; a no needs no comparison."""
        if engage.time() is None:
            with suppress(EngageUnavailable):  # then nothing can be sent either, or it can
                await engage.count()
        told = engage.time()
        if told is None or not clocks.are_apart(told - self.around.clock()):
            return
        self.findings.clock_ahead = told - self.around.clock()
        if self.assignment.entering_opts_in:
            self.findings.held_by_clock = await self.worker(workspace.count, Operation.ADD)
            await self.worker(workspace.hold, Operation.ADD)
        logger.warning("%s", clocks.told(self.findings.clock_ahead, self.findings.held_by_clock))

    async def _look_up_again(self, moved: Sequence[str]) -> None:
        """Whoever has another address by now: the row's may be somebody else's."""
        if not moved:
            return
        now = self.around.clock()
        identities = await self.worker(self.around.adapters.identities, self.assignment.identity)
        answers = [(Match(address, MatchStatus.UNMATCHED), now) for address in moved]
        await self.worker(identities.remember, answers, now)
