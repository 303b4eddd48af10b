"""The steps of a run that leave a former target: compare, weigh, take off, release, tell."""

from dataclasses import dataclass
from datetime import datetime

from voyado_operator.domain.delivery import Account, Operation, Result
from voyado_operator.domain.plan import FormerPlan
from voyado_operator.reconcile.findings import Assignment, Findings
from voyado_operator.reconcile.former import Former, LeavingTarget, Released
from voyado_operator.reconcile.planning import Decision
from voyado_operator.reconcile.ports import Ledger
from voyado_operator.reconcile.preparation import Prepared
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Parting:
    """Of one run; what it finds and does goes into `findings`."""

    assignment: Assignment
    around: Surroundings
    registry: Registry
    worker: Worker
    leaving: LeavingTarget
    findings: Findings

    async def compare(self, workspace: Workspace, former: Former) -> None:
        """Find who is to be taken off. Raises what LeavingTarget.compare raises."""
        compared = await self.leaving.compare(workspace, former)
        self.findings.former = await self.worker(former.shown, compared.members)
        self.findings.under_way += compared.waiting

    async def plan(self, workspace: Workspace, former: Former | Released | None, since: datetime) -> FormerPlan | None:
        """What the guards judge; None without a former target."""
        if not isinstance(former, Former) or self.findings.former is None:
            return None
        members = self.findings.former.members
        return await self.worker(self.leaving.weigh, workspace, former, members, since)

    async def leave(self, workspace: Workspace, prepared: Prepared, decision: Decision) -> None:
        """Take people off the former target, once the new one is proven."""
        former, diff, account = prepared.former, self.findings.diff, self.findings.account
        is_proven = diff is not None and (diff.counts.entering == 0 or diff.counts.unchanged > 0 or account.settled > 0)
        if not is_proven or self.assignment.side.owner not in prepared.ledger.info.owners:
            return
        if isinstance(former, Former):
            await self.take_off(workspace, former, prepared.ledger, decision)
        elif former is not None:
            await self.worker(prepared.ledger.remember_elsewhere, await self.worker(former.ledger.reference))

    async def take_off(self, workspace: Workspace, former: Former, present: Ledger | None, decision: Decision) -> None:
        """Take off whom the decision lets go, and release the target when nobody is left to be taken off.

        `present` is to remember that target, if the activation goes on with another.
        """
        shown = self.findings.former
        if shown is None:
            raise RuntimeError("a former target is compared before it is left")
        approval, taken_off = decision.approvals.get(Operation.REMOVE), Account()
        async with self.around.slots.ledger(former.ledger.url):
            try:
                await self.leaving.take_off(workspace, former, taken_off, approval)
            finally:
                self.findings.account.take_in(taken_off)
        left = shown.members + taken_off.membership
        self.findings.former = await self.worker(former.shown, left)
        tried_again = await self.worker(self.leaving.refused_lately, workspace, former, self.around.clock())
        is_unknown = taken_off.total(Result.UNKNOWN) or self.findings.under_way
        if is_unknown or tried_again or await self.worker(workspace.former.count_held):
            return
        await self.worker(former.ledger.release)
        released = await self.worker(former.ledger.reference)
        if present is not None:
            await self.worker(present.remember_elsewhere, released)
        self.registry.freed(former.identity, released, self.assignment.activation.metadata.key)
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
