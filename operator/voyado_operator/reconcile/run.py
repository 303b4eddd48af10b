"""A run between its gate and its report (both in activation.py): extract → match → diff → guard → apply → commit."""

import logging
import traceback
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

from durationpy import from_str

from voyado_operator.domain.delivery import Operation
from voyado_operator.domain.errors import LedgerRolledBack, LedgerUnavailable, RunError, Unexpected
from voyado_operator.domain.guards import Plan
from voyado_operator.reconcile import decision_column, planning
from voyado_operator.reconcile.access import tenant_of
from voyado_operator.reconcile.adapters import Tenant
from voyado_operator.reconcile.applying import Applying
from voyado_operator.reconcile.comparing import at_its_peak, compare, weigh
from voyado_operator.reconcile.delivery import Interrupted
from voyado_operator.reconcile.drift import DriftCheck
from voyado_operator.reconcile.extraction import extract, match
from voyado_operator.reconcile.findings import Assignment, Findings, Intent
from voyado_operator.reconcile.limits import limits
from voyado_operator.reconcile.planning import Decision, Question
from voyado_operator.reconcile.ports import Engage, Ledger, Source, Target
from voyado_operator.reconcile.preparation import Preparation
from voyado_operator.reconcile.progress import Tracker
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Ambiguous, Columns, Workspace

logger = logging.getLogger(__name__)
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
    ) -> None:
        self.assignment = assignment
        self.around = around
        self.worker = worker
        self.tracker = tracker
        self.findings = Findings()
        self._preparation = Preparation(
            assignment, around, registry, worker, is_stopping, self.findings.announce, tracker
        )
        self._applying = Applying(assignment, around, registry, worker, tracker, is_stopping, self.findings)

    async def execute(self) -> Findings:
        """Never raises RunError: it is a finding. Raises Interrupted when asked to stop while sending."""
        tenant: Tenant | None = None
        try:
            tenant = await tenant_of(self.assignment.connection, self.around)
            try:
                await self._steps(tenant)
            except LedgerUnavailable as error:
                if not await self._is_mended(error):
                    raise
                await self._steps(tenant)
        except RunError as error:
            self.findings.error = error
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, people must see it and the next run must come
            self.findings.error = self._unexpected(error)
        self.tracker.leave()
        self.findings.requests = tenant.engage.requests if tenant else 0
        self.findings.finished_at = self.around.clock()
        return self.findings

    async def _is_mended(self, error: LedgerUnavailable) -> bool:
        """Whether it was a damaged table, which is out of the way now."""
        adapters, identity = self.around.adapters, self.assignment.identity
        aside = adapters.set_ledger_aside if isinstance(error, LedgerRolledBack) else adapters.set_damaged_aside
        moved = await self.worker(aside, identity, self.around.clock())
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
        ledger = await self._preparation.ledger()
        self.findings.is_baselining = ledger.is_baselining
        async with AsyncExitStack() as stack:
            try:
                async with self.around.slots.workspace(self.assignment.connection.metadata.key):
                    workspace = await self._opened(stack)
                    await self._extract_and_match(workspace, tenant.engage)
                    await self._diff(workspace, ledger, target)
                    decision = await self._guard(workspace, ledger, target)
                if self.assignment.intent is Intent.ENFORCE:
                    await self._applying.apply(workspace, target, ledger, decision, tenant.engage)
                    await self._look_for_drift(workspace, target, ledger)
                    await self._remember(ledger)
            finally:  # before the worker takes the workspace down, which is 10 ms after 1,000,000 contacts
                self.findings.ledger = ledger.url, await self.worker(lambda: ledger.version)

    async def _look_for_drift(self, workspace: Workspace, target: Target, ledger: Ledger) -> None:
        if drift := self.assignment.activation.spec.drift:
            self.tracker.enter("Reading back", drift.sample)
            check = DriftCheck(self.around, self.worker, self.findings)
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

    async def _guard(self, workspace: Workspace, ledger: Ledger, target: Target) -> Decision:
        self.tracker.enter("Guarding")
        audience, diff = self.findings.audience, self.findings.diff
        if audience is None or diff is None:
            raise RuntimeError("guards judge a diff")
        guards, now = self.assignment.activation.spec.guards, self.around.clock()
        limited, since = limits(guards), now - from_str(guards.window)
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
            is_repeat_safe=target.is_repeat_safe,
            decisions=self.findings.decisions,
        )
        question = Question(
            plan=await self.worker(at_its_peak, plan, ledger, limited, since),
            limits=limited,
            digest=diff.digest,
            uid=self.assignment.activation.metadata.uid,
            generation=self.assignment.activation.metadata.generation,
            approval=self.assignment.approval,
            now=now,
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
        self.findings.held = sum(workspace.count_held(operation) for operation in Operation)
        self.findings.released = decision.is_released
        workspace.keep_changes()
        return decision
