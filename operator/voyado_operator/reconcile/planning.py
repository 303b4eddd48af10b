"""From the diff to what goes out: guards, the plan that waits for a person, and its release. Blocking."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from voyado_operator.domain import guards
from voyado_operator.domain.delivery import Operation
from voyado_operator.domain.guards import Limits, Plan, Violation
from voyado_operator.domain.plan import WaitingPlan
from voyado_operator.domain.schedule import waits
from voyado_operator.reconcile.ports import Ledger, WaitingPlans
from voyado_operator.workspace import Workspace

WAITS = timedelta(hours=24)  # DESIGN 3.2: a blocked plan is stored for 24 h


@dataclass(frozen=True, slots=True)
class Decision:
    """What the guards said; `approvals` has the digest of the approved plan that each operation goes out on.

    `is_released`: an approved plan, or what the diff still has of it, goes out.
    """

    violations: tuple[Violation, ...] = ()
    waiting: WaitingPlan | None = None
    approvals: Mapping[Operation, str] = field(default_factory=dict)
    is_released: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a decision depends on besides the sets; `approval` is the digest that a person approves."""

    plan: Plan
    limits: Limits
    digest: str
    uid: str
    generation: int
    approval: str | None
    now: datetime


def judge(workspace: Workspace, question: Question) -> tuple[Violation, ...]:
    """Hold back in the workspace whatever a guard blocks."""
    found = guards.violations(question.plan, question.limits)
    if guards.holds_everything(question.plan, found):
        for operation in Operation:
            if not _passes(operation, question.plan, found):
                workspace.hold(operation)
        workspace.former.hold()
    return found


def decide(workspace: Workspace, ledger: Ledger, plans: WaitingPlans, question: Question) -> Decision:
    """Judge; then let the approved plan out, or keep or store the one that waits.

    Raises LedgerUnavailable also if somebody was forgotten since the ledger was read: a plan could name them again.
    """
    decision = _decide(workspace, ledger, plans, question)
    if any(one.guard in guards.HOLD_OPT_INS for one in decision.violations):
        workspace.hold(Operation.ADD)  # whatever was approved
    return decision


def _decide(workspace: Workspace, ledger: Ledger, plans: WaitingPlans, question: Question) -> Decision:
    violations = judge(workspace, question)
    waiting = _current(plans, question)
    was_approved = waiting is not None and waiting.approved
    if waiting is not None and waiting.digest == question.approval:
        plans.mark_approved()
        waiting = replace(waiting, approved=True)
    # A row that waits for its look-up hides a contact that enters: what the diff lacks may be part of the plan.
    is_whole = not question.plan.audience.pending
    if all(one.guard in guards.HOLD_OPT_INS for one in violations):
        if is_whole:
            plans.drop()
        return Decision(violations, None if is_whole else waiting)
    held = _held(workspace)
    if waiting is not None and waiting.approved:
        # What was sent on that approval and not answered needs another one.
        is_once_only = was_approved and not question.plan.is_repeat_safe
        release = workspace.release_unasked if is_once_only else workspace.release
        release(plans.changes())
        workspace.former.release(plans.changes())
        if was_approved:
            workspace.hold_doubted()  # who is in the plan for another reason, and came into doubt when it went out
        _hold_the_unproven(workspace, question.plan)
        still_held = _held(workspace)
        released = {op: waiting.digest for op in Operation if still_held[op] < held[op]}
        if released:
            # Beside contacts that were not answered for, others of the operation go out without an approval.
            approvals = released if guards.holds_everything(question.plan, violations) else {}
            return Decision(violations, waiting, approvals, is_released=True)
        if is_whole:
            waiting = None  # nothing of it is left in the diff: whatever is blocked now is another plan
    if waiting is None and any(held.values()):
        waiting = _waiting(question, violations, held)
        ledger.fence()
        plans.store(waiting, workspace.held())
    return Decision(violations, waiting)


def _hold_the_unproven(workspace: Workspace, plan: Plan) -> None:
    """Hold the former target's members while all additions are held that could prove the new target."""
    is_proven = plan.diff.unchanged > 0 or workspace.count(Operation.ADD) > 0
    if workspace.count_held(Operation.ADD) and not is_proven:
        workspace.former.hold()


def _held(workspace: Workspace) -> dict[Operation, int]:
    """How many changes are held; removals from the former target are removals."""
    held = {operation: workspace.count_held(operation) for operation in Operation}
    return held | {Operation.REMOVE: held[Operation.REMOVE] + workspace.former.count_held()}


def _passes(operation: Operation, plan: Plan, found: tuple[Violation, ...]) -> bool:
    """Only explicit opt-outs pass a block, and only those guards hold them that look for accidents among opt-outs."""
    return operation is Operation.ADD and plan.entering_opts_out and not guards.opt_outs_held(found)


def _current(plans: WaitingPlans, question: Question) -> WaitingPlan | None:
    """The stored plan, unless it has expired, or another object or generation asked for it."""
    stored = plans.load()
    if stored is None:
        return None
    asked_by = stored.uid, stored.generation
    if not waits(stored.expires_at, question.now, WAITS) or asked_by != (question.uid, question.generation):
        plans.drop()
        return None
    return stored


def _waiting(question: Question, violations: tuple[Violation, ...], held: Mapping[Operation, int]) -> WaitingPlan:
    """Its digest is its own, also if the same sets wait again: an approval that was handled stays with the old one."""
    digest = hashlib.sha256(f"{question.uid} {question.now.isoformat()} {question.digest}".encode()).hexdigest()
    return WaitingPlan(
        digest=f"sha256:{digest}",
        uid=question.uid,
        generation=question.generation,
        entering=held[Operation.ADD],
        leaving=held[Operation.REMOVE],
        blocked_by=tuple((violation.guard, violation.message) for violation in violations),
        created_at=question.now,
        expires_at=question.now + WAITS,
    )
