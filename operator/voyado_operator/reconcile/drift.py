"""Reading back what Engage shows of some members: who disagrees with the ledger although nobody told us."""

from dataclasses import dataclass

from voyado_operator.api.activation import Drift
from voyado_operator.domain.delivery import CONTACT_GONE, Entry, Operation
from voyado_operator.domain.target import Mode
from voyado_operator.reconcile.findings import DriftFound, Findings
from voyado_operator.reconcile.ports import Ledger, Target
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Workspace


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """Of one run. A member that Engage knows no more leaves the ledger."""

    around: Surroundings
    worker: Worker
    findings: Findings

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
            # Singly: nothing announces it, so that a later run could not know of a batch that is still worked on.
            corrected = await target.apply_as(Mode.SINGLE, Operation.ADD, wrong)
            self.findings.drift.corrected = len(corrected.accepted)
        if reading.stopped:
            raise reading.stopped
