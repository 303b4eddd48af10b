"""The first step of a run: the target's ledger, in this activation's name, and the former target left behind."""

from collections.abc import Callable
from dataclasses import dataclass

from voyado_operator.domain.errors import LedgerRolledBack
from voyado_operator.reconcile.findings import Assignment, Intent
from voyado_operator.reconcile.ownership import former_owner
from voyado_operator.reconcile.ports import Ledger
from voyado_operator.reconcile.progress import Tracker
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.withdrawal import Withdrawal
from voyado_operator.reconcile.worker import Worker

Announce = Callable[[str, str, str], None]


@dataclass(frozen=True, slots=True)
class Preparation:
    """`announce` takes the severity, the reason and the message of an Event.

    `is_lost`: the target's ledger was damaged, and has just been moved away.
    """

    assignment: Assignment
    around: Surroundings
    registry: Registry
    worker: Worker
    is_stopping: Callable[[], object]
    announce: Announce
    tracker: Tracker
    is_lost: bool = False

    async def ledger(self) -> Ledger:
        """Raises LedgerUnavailable, TargetConflict, and what a withdrawal raises."""
        assignment, owner = self.assignment, self.around.owner(self.assignment.activation.metadata.key)
        target = self.around.adapters.described(assignment.identity, assignment.connection.metadata.name)
        ledger = await self._opened(assignment, owner, target)
        former = await former_owner(ledger, owner, assignment.identity, self.registry, self.around.cluster, self.worker)
        if former or await self.worker(lambda: ledger.target) != target:  # such as the name of the connection
            await self.worker(ledger.describe, owner, target)
        if former:
            self.announce(
                "Normal", "LedgerTakenOver", f"resumes the ledger of {former}, which drives its target no more"
            )
        if assignment.intent is Intent.ENFORCE:
            await self._leave_former_target(ledger, owner)
        return ledger

    async def _opened(self, assignment: Assignment, owner: str, target: dict[str, str]) -> Ledger:
        """The ledger, or a new one in place of one that is gone, or that is older than the status knows it."""
        adapters, url = self.around.adapters, self.around.adapters.ledger_url(assignment.identity)
        former = assignment.former_ledger
        known = former.version if former is not None and former.url == url else None
        found = await self.worker(adapters.existing_ledger, url)
        if found is not None and known is not None and found.version < known and found.replaces != known:
            raise LedgerRolledBack(f"the ledger {url} has lost its latest changes")
        ledger = found if found is not None else await self.worker(adapters.new_ledger, url, owner, target)
        if found is None and (self.is_lost or known is not None):
            members = assignment.former_members if known is not None else None
            await self.worker(ledger.mark_lost, self.around.clock(), known, members or 0)
            await self.worker(adapters.waiting_plans(ledger).drop)  # approved or not, it is about the lost one
            self.announce(
                "Warning",
                "LedgerLost",
                "the ledger is gone: it starts anew, and whoever left the audience meanwhile stays on the target",
            )
        return ledger

    async def _keep_in_mind(self, ledger: Ledger, former_url: str) -> None:
        """Whom the former ledger of the same choice knows, in another contact type or direction, may have said no."""
        former = await self.worker(self.around.adapters.existing_ledger, former_url)
        mine, theirs = ledger.target, former.target if former else {}
        if former and all(mine[part] == theirs.get(part, mine[part]) for part in ("host", "kind", "name")):
            await self.worker(ledger.inherit, former, self.around.clock())

    async def _leave_former_target(self, ledger: Ledger, owner: str) -> None:
        former, activation = self.assignment.former_ledger, self.assignment.activation
        if former is None or former.url == ledger.url:
            return
        if self.assignment.entering_opts_in:
            await self._keep_in_mind(ledger, former.url)
        if activation.spec.deletion_policy == "Retain":
            self.announce(
                "Normal",
                "TargetRetained",
                f"the target changed: members of the former one stay as they are ({former.url})",
            )
            return
        withdrawal = Withdrawal(self.around, self.registry, self.worker, self.is_stopping, self.tracker)
        withdrawn = await withdrawal.empty(former.url, owner, activation, self.assignment.run_id)
        self.announce(
            "Warning" if withdrawn.left else "Normal",
            "TargetWithdrawn",
            f"the target changed: of the former one ({former.url}) {withdrawn}",
        )
