"""Reading back what Engage shows of some members: who disagrees with the ledger although nobody told us."""

from collections.abc import Sequence
from dataclasses import dataclass

from voyado_operator.api.activation import Drift
from voyado_operator.domain.delivery import CONTACT_GONE, Entry, Operation
from voyado_operator.domain.target import Mode
from voyado_operator.reconcile.findings import DriftFound, Findings
from voyado_operator.reconcile.own_writes import Writing
from voyado_operator.reconcile.ports import Delivered, Ledger, Target
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Workspace


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """Of one run. A member that Engage knows no more leaves the ledger."""

    around: Surroundings
    worker: Worker
    findings: Findings
    writing: Writing

    async def look(self, target: Target, ledger: Ledger, workspace: Workspace, spec: Drift) -> None:
        """Whoever is in the diff is not corrected, as a guard may hold their removal.

        Raises CredentialsInvalid, EngageUnavailable or LedgerUnavailable.
        """
        facet = target.facet(Operation.ADD)
        if facet is None:
            return
        members = await self.worker(ledger.sample, spec.sample)
        reading = await target.read(members)
        differing = [one for one, contact in reading.contacts.items() if not facet.is_done(contact)]
        gone = [one.contact_id for one in reading.unseen if one.detail == CONTACT_GONE]
        self.findings.drift = DriftFound(read=len(reading.contacts), differing=len(differing))
        wrong = await self.worker(workspace.unchanged, differing) if spec.on_drift == "Correct" else []
        if gone or wrong:
            await self.worker(ledger.claim)
        if gone:
            await self.worker(ledger.note, Entry.GONE, gone, self.around.clock())
            await self.worker(ledger.commit)
            self.findings.gone = len(gone)
        if wrong:
            self.findings.drift.corrected = await self._correct(target, wrong)
        if reading.stopped:
            raise reading.stopped

    async def _correct(self, target: Target, wrong: Sequence[str]) -> int:
        """Return how many Engage acknowledged.

        Singly: nothing announces it, so that a later run could not know of a batch that is still worked on.
        """
        corrected = Delivered()
        with self.writing.under_way(lambda: len(corrected.accepted) == len(wrong)):
            self.writing.begins(target.facet(Operation.ADD))
            corrected = await target.apply_as(Mode.SINGLE, Operation.ADD, wrong)
        return len(corrected.accepted)
