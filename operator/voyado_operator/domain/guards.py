"""The guards: pure rules over a plan; each allows it or blocks it and says why.

All violations are reported, not only the first, so that a person decides once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from voyado_operator.domain.decisions import DecisionColumn
from voyado_operator.domain.plan import AudienceCounts, DiffCounts, FormerPlan, Window

REMOVALS_ALWAYS_PASS = 20  # DESIGN 3.2: below this a percentage says nothing about a small label
OPT_OUTS_ALWAYS_PASS = 1000  # DESIGN 3.2: a person's "no" is held only when it looks like an accident


@dataclass(frozen=True, slots=True)
class Percentage:
    """A share of a base, `0` to `100` percent."""

    value: int

    def of(self, base: int) -> Fraction:
        return Fraction(self.value * base, 100)

    def __str__(self) -> str:
        return f"{self.value}%"


Limit = int | Percentage


@dataclass(frozen=True, slots=True)
class Limits:
    """The effective guards of an activation; `max_additions` has no default, so it may be absent."""

    allow_empty: bool = False
    max_removals: Limit = Percentage(20)
    max_additions: Limit | None = None
    max_opt_outs: Limit = Percentage(10)
    max_invalid: Limit = Percentage(5)
    max_unmatched: Limit = Percentage(50)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the guards judge.

    `diff` counts changes that may go out on top of those of the window: whoever is tried again was counted then.
    `entering_opts_out`: entering the target writes a person's "no" (onEnter: Decline). `review_was_due`: the day of
    governance.reviewBy, once it is over. `unanswered` counts changes that may have been sent already and must not be
    sent twice, `doubted` opt-ins of people who may have said no to a ledger that was lost. `is_baselining`: the ledger
    was lost, and its members are being found again; it had `lost_members`, as far as the status knew, 0 if it was lost
    before the window. `is_resumed`: nothing vouches for the ledger, so it may lack what was sent last.
    `entering_opts_in`: entering the target writes a person's "yes". `former`: an edit left another target.
    """

    audience: AudienceCounts
    diff: DiffCounts
    window: Window
    entering_opts_out: bool
    tenant_contacts: int
    review_was_due: date | None = None
    unanswered: int = 0
    doubted: int = 0
    is_baselining: bool = False
    is_resumed: bool = False
    lost_members: int = 0
    entering_opts_in: bool = False
    is_repeat_safe: bool = True
    former: FormerPlan | None = None
    decisions: DecisionColumn = field(default_factory=DecisionColumn)

    @property
    def is_refiring(self) -> bool:
        """Any change may have been sent already, as the ledger cannot tell, and must not be sent twice."""
        return (self.is_baselining or self.is_resumed) and not self.is_repeat_safe

    @property
    def found_again(self) -> int:
        """How many additions, of the plan and of the window, may be members of the lost ledger.

        Members beyond the window's additions are some of these, adopted or added on an approval.
        """
        return max(0, self.lost_members - max(0, self.diff.members - self.window.additions))


@dataclass(frozen=True, slots=True)
class Violation:
    """A guard's name as in the manifest, and a sentence with the numbers."""

    guard: str
    message: str


def allow_empty(plan: Plan, limits: Limits) -> str | None:
    """An audience without a single contact is far likelier a broken source than a wish."""
    if plan.audience.contacts or plan.audience.pending or limits.allow_empty:
        return None
    return (
        f"the audience has no contact left ({plan.audience.rows} source rows); "
        "check the source, or set guards.allowEmpty: true if that is meant"
    )


def max_removals(plan: Plan, limits: Limits) -> str | None:
    """Of the target, and of the one that an edit left: each by its own members."""
    floor = REMOVALS_ALWAYS_PASS if plan.audience.contacts else 0
    found = [_removals("be removed", plan.diff.leaving, plan.window, limits, floor)]
    if plan.former is not None:
        taken_off = f"be taken off the former target {plan.former.target}"
        found.append(_removals(taken_off, plan.former.leaving, plan.former.window, limits, floor))
    return "; ".join(message for message in found if message) or None


def _removals(what: str, leaving: int, window: Window, limits: Limits, floor: int) -> str | None:
    if not leaving or leaving + window.removals <= ceiling(limits.max_removals, window.peak, floor):
        return None
    return (
        f"{leaving} contacts would {what}, {window.removals} were in the window; "
        f"guards.maxRemovals is {limits.max_removals}, the highest membership in the window {window.peak}"
    )


def former_target(plan: Plan, _: Limits) -> str | None:
    """Contacts whom the edit was to take off its former target, and cannot: a person says whether they stay."""
    former = plan.former
    if former is None or not former.unreachable or not former.leaving:
        return None
    return (
        f"{former.leaving} contacts cannot be taken off the former target {former.target}: {former.unreachable}; "
        "approving leaves them on it"
    )


def max_additions(plan: Plan, limits: Limits) -> str | None:
    if limits.max_additions is None or plan.entering_opts_out or not plan.diff.entering:
        return None
    if plan.is_baselining and plan.entering_opts_in:  # nobody is opted in then
        return None
    additions, found_again = plan.diff.entering + plan.window.additions, plan.found_again
    base = max(plan.window.peak, found_again)
    if additions - found_again <= ceiling(limits.max_additions, base, 0):
        return None
    lost = f"; the ledger was lost, so up to {found_again} of them may be members found again" if found_again else ""
    return (
        f"{plan.diff.entering} contacts would be added, {plan.window.additions} were in the window{lost}; "
        f"guards.maxAdditions is {limits.max_additions}, the highest membership in the window {base}"
    )


def max_opt_outs(plan: Plan, limits: Limits) -> str | None:
    if not plan.entering_opts_out or not plan.diff.entering:
        return None
    opt_outs = plan.diff.entering + plan.window.additions
    if opt_outs <= ceiling(limits.max_opt_outs, plan.tenant_contacts, OPT_OUTS_ALWAYS_PASS):
        return None
    return (
        f"{plan.diff.entering} contacts would be opted out, {plan.window.additions} were in the window; "
        f"guards.maxOptOuts is {limits.max_opt_outs}, the tenant has {plan.tenant_contacts} contacts"
    )


def max_invalid(plan: Plan, limits: Limits) -> str | None:
    if plan.audience.invalid <= ceiling(limits.max_invalid, plan.audience.rows, 0):
        return None
    return (
        f"{plan.audience.invalid} of {plan.audience.rows} source rows have no usable identifier "
        f"(null, malformed, or one e-mail with two contactIds); guards.maxInvalid is {limits.max_invalid}"
    )


def max_unmatched(plan: Plan, limits: Limits) -> str | None:
    if plan.audience.unmatched <= ceiling(limits.max_unmatched, plan.audience.by_email, 0):
        return None
    return (
        f"Engage knows no contact for {plan.audience.unmatched} of {plan.audience.by_email} rows without contactId; "
        f"guards.maxUnmatched is {limits.max_unmatched}"
    )


def review_by(plan: Plan, _: Limits) -> str | None:
    """No approval lets this pass: whoever answers for the audience has to look at it again."""
    if plan.review_was_due is None or plan.entering_opts_out or not plan.diff.entering:
        return None
    return (
        f"{plan.diff.entering} contacts would be opted in, but the review was due by {plan.review_was_due}; "
        "review the audience and write a later governance.reviewBy"
    )


def unanswered(plan: Plan, _: Limits) -> str | None:
    if plan.is_refiring and plan.diff.entering:
        return (
            f"the ledger was {'lost' if plan.is_baselining else 'found without a status that vouches for it'}, so it "
            f"cannot tell for which of {plan.diff.entering} contacts the trigger was fired before; approving fires it "
            "for all of them"
        )
    if not plan.unanswered:
        return None
    return (
        f"for {plan.unanswered} contacts the trigger may have been fired already, as no answer came; "
        "approving fires it again"
    )


def lost_ledger(plan: Plan, _: Limits) -> str | None:
    """Whom a ledger that was lost may have known to have said no: a person says whether they are opted in."""
    if not plan.doubted:
        return None
    return (
        f"{plan.doubted} contacts would be opted in of whom Engage shows no yes, and nobody can tell whether they said "
        "no, as the ledger was lost, or found without a status that vouches for it; approving opts all of them in, a "
        "decidedAt since then lets one in; leave who said no out of the audience"
    )


def decided_at(plan: Plan, _: Limits) -> str | None:
    """No approval lets this pass: whoever approves a plan cannot say when each of its people decided."""
    column = plan.decisions
    if plan.entering_opts_out or not plan.diff.entering or not (column.is_constant or column.is_moving):
        return None
    found = (
        f"all {column.rows} rows have the same decidedAt"
        if column.is_constant
        else f"{column.moved} of {column.compared} contacts that were compared have another decidedAt than a run before"
    )
    return (
        f"{found}, so it is not when each person decided, and {plan.diff.entering} contacts would be opted in by it; "
        "select that moment and change spec.audience with it, or leave spec.audience.decidedAt out"
    )


GUARDS: dict[str, Callable[[Plan, Limits], str | None]] = {
    "allowEmpty": allow_empty,
    "maxRemovals": max_removals,
    "maxAdditions": max_additions,
    "maxOptOuts": max_opt_outs,
    "maxInvalid": max_invalid,
    "maxUnmatched": max_unmatched,
    "reviewBy": review_by,
    "unanswered": unanswered,
    "formerTarget": former_target,
    "lostLedger": lost_ledger,
    "decidedAt": decided_at,
}
HOLD_OPT_INS = {"reviewBy", "decidedAt"}  # and nothing else, whatever was approved
HOLD_A_FEW = {"unanswered", "lostLedger"}  # the contacts that they count
HOLD_OPT_OUTS = {"allowEmpty", "maxOptOuts"}  # every other guard lets a person's "no" through


def ceiling(limit: Limit, base: int, floor: int) -> Fraction | int:
    """A number means itself; a percentage is of `base` and never less than `floor`."""
    return max(limit.of(base), Fraction(floor)) if isinstance(limit, Percentage) else limit


def is_blocked_by_peak(plan: Plan, limits: Limits) -> bool:
    """Whether one of the guards that go by the highest membership blocks the plan."""
    return any(guard(plan, limits) for guard in (max_removals, max_additions))


def holds_everything(plan: Plan, found: tuple[Violation, ...]) -> bool:
    """Whether more is held than all opt-ins, or the contacts that a guard counts."""
    return any(one.guard not in HOLD_OPT_INS | HOLD_A_FEW for one in found) or plan.is_refiring


def violations(plan: Plan, limits: Limits) -> tuple[Violation, ...]:
    """Every guard that blocks this plan, in the manifest's order; empty when it may go out."""
    judged = ((name, guard(plan, limits)) for name, guard in GUARDS.items())
    return tuple(Violation(name, message) for name, message in judged if message is not None)


def opt_outs_held(found: tuple[Violation, ...]) -> bool:
    """Whether explicit opt-outs must wait too."""
    return any(violation.guard in HOLD_OPT_OUTS for violation in found)
