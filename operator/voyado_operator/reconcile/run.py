"""A run between its gate and its report (both in activation.py): extract → match → diff → guard → apply → commit."""

import logging
import traceback
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime

from durationpy import from_str

from voyado_operator.domain.delivery import Account, Operation, Result
from voyado_operator.domain.errors import LedgerUnavailable, RunError, Unexpected
from voyado_operator.domain.guards import Limits, Plan
from voyado_operator.domain.plan import DiffCounts, FormerPlan, Window
from voyado_operator.domain.trust import Trust
from voyado_operator.reconcile import decision_column, planning
from voyado_operator.reconcile.access import tenant_of
from voyado_operator.reconcile.adapters import Tenant
from voyado_operator.reconcile.applying import Applying, Claimed
from voyado_operator.reconcile.comparing import at_its_peak, compare, lost_members, weigh
from voyado_operator.reconcile.delivery import Interrupted
from voyado_operator.reconcile.drift import DriftCheck
from voyado_operator.reconcile.earlier_batches import EarlierBatches
from voyado_operator.reconcile.extraction import extract, match
from voyado_operator.reconcile.findings import Assignment, Findings, Intent
from voyado_operator.reconcile.former import Former, LeavingTarget, Released
from voyado_operator.reconcile.limits import limits
from voyado_operator.reconcile.planning import Decision, Question
from voyado_operator.reconcile.ports import Engage, Ledger, Source, Target
from voyado_operator.reconcile.preparation import Preparation, Prepared
from voyado_operator.reconcile.progress import Tracker
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.sharing import Sharing
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Ambiguous, Columns, Workspace

logger = logging.getLogger(__name__)
NO_DIFF, NO_WINDOW = DiffCounts(entering=0, leaving=0, unchanged=0, members=0), Window(additions=0, removals=0, peak=0)
WORTH_REMEMBERING = 100_000  # contacts; to compare them takes 50 ms, a commit 10


class Run:
    """One pass over one activation."""

    def __init__(
        self,
        assignment: Assignment,
        around: Surroundings,
        registry: Registry,
        worker: Worker,
        tracker: Tracker,
        is_stopping: Callable[[], object],
        claimed: Claimed,
    ) -> None:
        """`claimed` makes the status know the claim before anything is sent on its account."""
        self.assignment = assignment
        self.around = around
        self.worker = worker
        self.tracker = tracker
        self.findings = Findings()
        self.registry = registry
        self._is_stopping = is_stopping
        self._sharings = [Sharing(around.adapters.share(around.adapters.ledger_url(assignment.identity)))]
        self._leaving = LeavingTarget(
            assignment.activation, assignment.run_id, around, registry, worker, tracker, self._is_to_end
        )
        self._preparation = Preparation(assignment, around, registry, worker, self._leaving, self.findings.announce)
        self._applying = Applying(
            assignment, around, registry, worker, tracker, self._is_to_end, self.findings, claimed
        )

    def _is_to_end(self) -> object:
        """Asked between two batches."""
        return self._is_stopping() or any(sharing.gives_way() for sharing in self._sharings)

    async def execute(self) -> Findings:
        """Never raises RunError: it is a finding. Raises Interrupted when asked to stop while sending."""
        tenant: Tenant | None = None
        try:
            tenant = await tenant_of(self.assignment.connection, self.around)
            try:
                await self._steps(tenant)
            except LedgerUnavailable as error:
                if not await self._is_mended():
                    raise error
                await self._steps(tenant)
        except RunError as error:
            self.findings.error = error
        except Interrupted:
            if self._is_stopping():
                raise
            self.findings.gave_way = True
        except Exception as error:  # noqa: BLE001 - whatever it is, people must see it and the next run must come
            self.findings.error = self._unexpected(error)
        self.tracker.leave()
        self.findings.requests = tenant.engage.requests if tenant else 0
        self.findings.finished_at = self.around.clock()
        return self.findings

    async def _is_mended(self) -> bool:
        """Whether it was a damaged table, which is out of the way now."""
        adapters, identity = self.around.adapters, self.assignment.identity
        async with self._sharings[0].taken():  # an erasure deletes files, which looks like damage while it is under way
            moved = await self.worker(adapters.set_damaged_aside, identity, self.around.clock())
        if adapters.ledger_url(identity) in moved:
            self._preparation = replace(self._preparation, is_lost=True)
        return bool(moved)

    def _unexpected(self, error: Exception) -> Unexpected:
        """Where it happened goes into the log, but not what it says: that may quote a row."""
        kind, place = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
        logger.error("an error that nobody foresaw: %s\n%s", kind, place)
        return Unexpected(f"the run ended with an error that nobody foresaw ({kind}); the operator's log says where")

    async def _steps(self, tenant: Tenant) -> None:
        target = tenant.target(self.assignment.activation, self.assignment.run_id)
        url = self.around.adapters.ledger_url(self.assignment.identity)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.around.slots.ledger(url))
            async with self._sharings[0].taken():
                prepared, erasures = await self._preparation.prepared(), self._sharings[0].erasures
            if isinstance(prepared, Prepared):
                await self._align(stack, prepared, erasures, target, tenant)
                return
            await self._leave_first(stack, prepared.former, tenant)
        if self.assignment.intent is Intent.ENFORCE and self.findings.former is None:
            assignment = replace(self.assignment, former_target=None)
            self._preparation = replace(self._preparation, assignment=assignment)
            await self._steps(tenant)

    async def _align(
        self, stack: AsyncExitStack, prepared: Prepared, erasures: int, target: Target, tenant: Tenant
    ) -> None:
        """Make the target what the audience says, and leave the former target, if there is one.

        `erasures`: how often contacts had been erased from the ledger when it was opened.
        """
        try:
            async with self.around.slots.workspace(self.assignment.connection.metadata.key):
                workspace = await self._opened(stack)
                await self._extract_and_match(workspace, tenant.engage)
                prepared = await self._held(stack, prepared, erasures)
                self.findings.is_baselining = prepared.ledger.info.is_baselining
                earlier = await self._earlier_batches(target, prepared.ledger)
                await self._diff(workspace, prepared.ledger, target)
                if earlier is not None:
                    self.findings.under_way = await earlier.hold(workspace)
                if isinstance(prepared.former, Former):
                    await self._compare_former(workspace, prepared.former)
                decision = await self._guard(workspace, prepared, target)
            if self.assignment.intent is Intent.ENFORCE:
                await self._applying.apply(workspace, target, prepared, decision, tenant.engage)
                await self._leave(workspace, prepared, decision)
                await self._look_for_drift(workspace, target, prepared.ledger)
                await self._remember(prepared.ledger)
        finally:  # before the worker takes the workspace down, which is 10 ms after 1,000,000 contacts
            self.findings.ledger = await self.worker(prepared.reference)

    async def _held(self, stack: AsyncExitStack, prepared: Prepared, erasures: int) -> Prepared:
        """Hold the ledgers to the run's end, so that nobody is erased from them meanwhile.

        A handle from before an erasure is of a version that is gone, and is opened anew.
        """
        await stack.enter_async_context(self._sharings[0].taken())
        if isinstance(prepared.former, Former):
            former = await self._held_former(stack, prepared.former)
            prepared = replace(prepared, former=former)
        if self._sharings[0].erasures == erasures:
            return prepared
        ledger = await self.worker(self._preparation.reopened, prepared.ledger, self.assignment.side)
        return replace(prepared, ledger=ledger)

    async def _held_former(self, stack: AsyncExitStack, former: Former) -> Former:
        """Opened anew in any case, as an edit is rare."""
        self._sharings.append(Sharing(self.around.adapters.share(former.ledger.url)))
        await stack.enter_async_context(self._sharings[-1].taken())
        return replace(former, ledger=await self.worker(self._preparation.reopened, former.ledger, former.side))

    async def _leave_first(self, stack: AsyncExitStack, former: Former, tenant: Tenant) -> None:
        """Leave the former target, and nothing else."""
        async with self.around.slots.workspace(self.assignment.connection.metadata.key):
            workspace = await self._opened(stack)
            await self._extract_and_match(workspace, tenant.engage)
            former = await self._held_former(stack, former)
            self.findings.audience = await self.worker(workspace.counted)
            await self._compare_former(workspace, former)
            decision = await self._guard_former(workspace, former)
        if self.assignment.intent is Intent.ENFORCE:
            await self._take_off(workspace, former, None, decision)

    async def _earlier_batches(self, target: Target, ledger: Ledger) -> EarlierBatches | None:
        """None where nothing is sent in bulk, or nothing is sent at all."""
        if self.assignment.is_a_decision or self.assignment.intent is not Intent.ENFORCE:
            return None
        table = await self.worker(self.around.adapters.batches, ledger)
        earlier = EarlierBatches(target, ledger, table, self.worker, self.around.clock)
        self.findings.settled = await earlier.settle()
        return earlier

    async def _look_for_drift(self, workspace: Workspace, target: Target, ledger: Ledger) -> None:
        if drift := self.assignment.activation.spec.drift:
            self.tracker.enter("Reading back", drift.sample)
            writing = self._applying.registry.own_writes.of(self.assignment.identity.host)
            check = DriftCheck(self.around, self.worker, self.findings, writing)
            await check.look(target, ledger, workspace, drift)

    async def _remember(self, ledger: Ledger) -> None:
        """So that a next run with the same audience need not compare it with the same members again."""
        audience, diff = self.findings.audience, self.findings.diff
        if audience and diff and self.findings.is_level and audience.contacts >= WORTH_REMEMBERING:
            await self.worker(ledger.remember, diff.fingerprint, audience.contacts)

    async def _opened(self, stack: AsyncExitStack) -> Workspace:
        opts_out = self.assignment.entering_opts_out
        workspace = self.around.adapters.workspace(Ambiguous.INCLUDE_ALL if opts_out else Ambiguous.SKIP)
        return await stack.enter_async_context(self.worker.entered(workspace))

    async def _extract_and_match(self, workspace: Workspace, engage: Engage) -> None:
        self.tracker.enter("Extracting")
        source, columns = await self._source(), self._columns()
        identities = None
        if columns.email is not None:
            identities = await self.worker(self.around.adapters.identities, self.assignment.identity)
        addresses = await extract(workspace, source, columns, identities, self.worker, self.assignment.started_at)
        if identities is not None and addresses:
            self.tracker.enter("Matching", len(addresses))
            await match(workspace, addresses, engage, identities, self.worker, self.tracker, self.around.clock)

    async def _source(self) -> Source:
        audience, uri = self.assignment.activation.spec.audience, None
        if audience.sql is not None:
            reference, namespace = audience.sql.uri_secret_ref, self.assignment.activation.metadata.namespace
            uri = await self.around.cluster.secret(
                "spec.audience.sql.uriSecretRef", namespace, reference.name, reference.key or "uri"
            )
        # In the worker: it may ask the DNS, which would hold up everything else.
        return await self.worker(self.around.adapters.source, audience, uri)

    def _columns(self) -> Columns:
        audience = self.assignment.activation.spec.audience
        named = audience.identifiers
        if named is None:
            return Columns(contact_id="contact_id")  # what the fixed list calls its one column
        return Columns(named.contact_id, named.email, audience.decided_at)

    async def _diff(self, workspace: Workspace, ledger: Ledger, target: Target) -> None:
        self.tracker.enter("Comparing")
        parked = await self.worker(self.around.adapters.parked, ledger)
        self.findings.audience, self.findings.diff = await self.worker(
            compare, workspace, ledger, parked, target, self.assignment, self.around.clock()
        )
        await self._look_at_decisions(workspace, ledger)

    async def _look_at_decisions(self, workspace: Workspace, ledger: Ledger) -> None:
        """For opt-outs and labels it does not matter when somebody decided."""
        audience, findings = self.assignment.activation.spec.audience, self.findings
        if audience.decided_at is None or not self.assignment.entering_opts_in:
            return
        findings.decisions = await self.worker(decision_column.looked_at, workspace, ledger, audience)
        if self.assignment.intent is Intent.ENFORCE:
            await self.worker(decision_column.remember, workspace, ledger, audience, findings.decisions)

    async def _compare_former(self, workspace: Workspace, former: Former) -> None:
        compared = await self._leaving.compare(workspace, former)
        self.findings.former = await self.worker(former.shown, compared.members)
        self.findings.under_way += compared.waiting

    async def _guard(self, workspace: Workspace, prepared: Prepared, target: Target) -> Decision:
        self.tracker.enter("Guarding")
        ledger, audience, diff = prepared.ledger, self.findings.audience, self.findings.diff
        if audience is None or diff is None:
            raise RuntimeError("guards judge a diff")
        limited, since = self._limits()
        due, window = await self.worker(weigh, workspace, ledger, diff, limited, self.assignment, since)
        plan = Plan(
            audience=audience,
            diff=due,
            window=window,
            entering_opts_out=self.assignment.entering_opts_out,
            tenant_contacts=self.assignment.connection.status.contacts or 0,
            review_was_due=self.assignment.review_was_due,
            unanswered=diff.unanswered,
            is_baselining=self.findings.is_baselining,
            is_resumed=prepared.trust is Trust.RESUMED,
            lost_members=await self.worker(lost_members, ledger, since),
            entering_opts_in=self.assignment.entering_opts_in,
            is_repeat_safe=target.is_repeat_safe,
            former=await self._former_plan(workspace, prepared.former, since),
            decisions=self.findings.decisions,
        )
        plan = await self.worker(at_its_peak, plan, ledger, limited, since)
        return await self._decided(workspace, ledger, plan, limited)

    async def _guard_former(self, workspace: Workspace, former: Former) -> Decision:
        """The guards go by the audience, and by what is to be taken off."""
        self.tracker.enter("Guarding")
        limited, since = self._limits()
        if self.findings.audience is None:
            raise RuntimeError("guards judge an audience")
        plan = Plan(
            audience=self.findings.audience,
            diff=NO_DIFF,
            window=NO_WINDOW,
            entering_opts_out=False,
            tenant_contacts=self.assignment.connection.status.contacts or 0,
            former=await self._former_plan(workspace, former, since),
        )
        return await self._decided(workspace, former.ledger, plan, limited)

    def _limits(self) -> tuple[Limits, datetime]:
        """The guards, and since when the window counts."""
        guards = self.assignment.activation.spec.guards
        return limits(guards), self.around.clock() - from_str(guards.window)

    async def _former_plan(
        self, workspace: Workspace, former: Former | Released | None, since: datetime
    ) -> FormerPlan | None:
        if not isinstance(former, Former) or self.findings.former is None:
            return None
        members = self.findings.former.members
        return await self.worker(self._leaving.weigh, workspace, former, members, since)

    async def _decided(self, workspace: Workspace, ledger: Ledger, plan: Plan, limited: Limits) -> Decision:
        digest = self.findings.diff.digest if self.findings.diff else await self.worker(workspace.digest, ledger.url)
        question = Question(
            plan=plan,
            limits=limited,
            digest=digest,
            uid=self.assignment.activation.metadata.uid,
            generation=self.assignment.activation.metadata.generation,
            approval=self.assignment.approval,
            now=self.around.clock(),
        )
        decision = await self.worker(self._decide, workspace, ledger, question)
        self.findings.violations = decision.violations
        self.findings.waiting = decision.waiting
        self.findings.is_judged = True
        return decision

    def _decide(self, workspace: Workspace, ledger: Ledger, question: Question) -> Decision:
        if self.assignment.intent is Intent.PLAN:
            return Decision(planning.judge(workspace, question))
        decision = planning.decide(workspace, ledger, self.around.adapters.waiting_plans(ledger), question)
        if question.plan.audience.pending:
            # A row that was not looked up yet may well be a member: who left cannot be known.
            workspace.hold(Operation.REMOVE)
            if not self.assignment.withdraws:
                workspace.former.hold()
        self.findings.held = sum(workspace.count_held(operation) for operation in Operation)
        self.findings.held += workspace.former.count_held()
        self.findings.released = decision.is_released
        workspace.keep_changes()
        return decision

    async def _leave(self, workspace: Workspace, prepared: Prepared, decision: Decision) -> None:
        """Take people off the former target, once the new one is proven."""
        former, diff, account = prepared.former, self.findings.diff, self.findings.account
        is_proven = diff is not None and (diff.counts.entering == 0 or diff.counts.unchanged > 0 or account.settled > 0)
        if not is_proven or self.assignment.side.owner not in prepared.ledger.info.owners:
            return
        if isinstance(former, Former):
            await self._take_off(workspace, former, prepared.ledger, decision)
        elif former is not None:
            await self.worker(prepared.ledger.remember_elsewhere, await self.worker(former.ledger.reference))

    async def _take_off(self, workspace: Workspace, former: Former, present: Ledger | None, decision: Decision) -> None:
        shown = self.findings.former
        if shown is None:
            raise RuntimeError("a former target is compared before it is left")
        approval, taken_off = decision.approvals.get(Operation.REMOVE), Account()
        async with self.around.slots.ledger(former.ledger.url):
            try:
                await self._leaving.take_off(workspace, former, taken_off, approval)
            finally:
                self.findings.account.take_in(taken_off)
        left = shown.members + taken_off.membership
        self.findings.former = await self.worker(former.shown, left)
        tried_again = await self.worker(self._leaving.refused_lately, workspace, former, self.around.clock())
        is_unknown = taken_off.total(Result.UNKNOWN) or self.findings.under_way
        if is_unknown or tried_again or await self.worker(workspace.former.count_held):
            return
        await self.worker(former.ledger.release)
        if present is not None:
            await self.worker(present.remember_elsewhere, former.ledger.reference())
        self.registry.freed(former.identity, self.assignment.activation.metadata.key)
        self.findings.former = None
        self.findings.left_behind = await self.worker(workspace.former.count) if former.unreachable else 0
        self.findings.announce(*_left(former, taken_off, left, self.findings.left_behind))


def _left(former: Former, taken_off: Account, members: int, left_behind: int) -> tuple[str, str, str]:
    """The Event that tells how the former target was left."""
    done = f"{taken_off.total(Result.ACCEPTED)} contacts were taken off the former target {former.identity}"
    stay = f"; {members} stay on it" if members else ""
    if left_behind:
        return "Warning", "TargetRetained", f"{done}{stay}: {former.unreachable}"
    if refused := taken_off.described():
        return "Warning", "TargetWithdrawn", f"{done}{stay}: {refused}"
    return "Normal", "TargetRetained" if members else "TargetWithdrawn", f"{done}{stay}"
