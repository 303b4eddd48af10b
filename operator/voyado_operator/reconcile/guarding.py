"""The guard step of a run: what the guards are asked, and what becomes of their answer."""

from dataclasses import dataclass
from datetime import datetime

from durationpy import from_str

from voyado_operator.domain.delivery import Operation
from voyado_operator.domain.guards import Limits, Plan
from voyado_operator.domain.plan import DiffCounts, Window
from voyado_operator.domain.trust import Trust
from voyado_operator.reconcile import planning
from voyado_operator.reconcile.comparing import at_its_peak, lost_members, weigh
from voyado_operator.reconcile.findings import Assignment, Findings, Intent
from voyado_operator.reconcile.former import Former
from voyado_operator.reconcile.limits import limits
from voyado_operator.reconcile.parting import Parting
from voyado_operator.reconcile.planning import Decision, Question
from voyado_operator.reconcile.ports import Ledger, Target
from voyado_operator.reconcile.preparation import Prepared
from voyado_operator.reconcile.progress import Tracker
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Workspace

NO_DIFF, NO_WINDOW = DiffCounts(entering=0, leaving=0, unchanged=0, members=0), Window(additions=0, removals=0, peak=0)


@dataclass(frozen=True, slots=True)
class Guarding:
    """Of one run; what the guards say goes into `findings`. Every method raises LedgerUnavailable."""

    assignment: Assignment
    around: Surroundings
    worker: Worker
    tracker: Tracker
    parting: Parting
    findings: Findings

    async def decide(self, workspace: Workspace, prepared: Prepared, target: Target) -> Decision:
        """What of the diff, and of the former target's members, may go out."""
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
            doubted=diff.doubted_before,
            is_baselining=self.findings.is_baselining,
            is_resumed=prepared.trust is Trust.RESUMED,
            lost_members=await self.worker(lost_members, ledger, since),
            entering_opts_in=self.assignment.entering_opts_in,
            is_repeat_safe=target.is_repeat_safe,
            former=await self.parting.plan(workspace, prepared.former, since),
            decisions=self.findings.decisions,
        )
        plan = await self.worker(at_its_peak, plan, ledger, limited, since)
        return await self._decided(workspace, ledger, plan, limited)

    async def of_former(self, workspace: Workspace, former: Former) -> Decision:
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
            former=await self.parting.plan(workspace, former, since),
        )
        return await self._decided(workspace, former.ledger, plan, limited)

    def _limits(self) -> tuple[Limits, datetime]:
        """The guards, and since when the window counts."""
        guards = self.assignment.activation.spec.guards
        return limits(guards), self.around.clock() - from_str(guards.window)

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
