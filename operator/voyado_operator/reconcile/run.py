"""A run between its gate and its report (both in activation.py): extract → match → diff → guard → apply → commit."""

import logging
import traceback
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

from voyado_operator.domain.errors import LedgerUnavailable, RunError, Unexpected
from voyado_operator.reconcile import decision_column
from voyado_operator.reconcile.access import tenant_of
from voyado_operator.reconcile.adapters import Tenant
from voyado_operator.reconcile.applying import Applying, Claimed
from voyado_operator.reconcile.comparing import compare
from voyado_operator.reconcile.delivery import Interrupted
from voyado_operator.reconcile.drift import DriftCheck
from voyado_operator.reconcile.earlier_batches import EarlierBatches
from voyado_operator.reconcile.extraction import extract, match
from voyado_operator.reconcile.findings import Assignment, Findings, Intent
from voyado_operator.reconcile.former import Former, LeavingTarget
from voyado_operator.reconcile.guarding import Guarding
from voyado_operator.reconcile.parting import Parting
from voyado_operator.reconcile.ports import Engage, Ledger, Source, Target
from voyado_operator.reconcile.preparation import Preparation, Prepared
from voyado_operator.reconcile.progress import Tracker
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.sharing import Sharing
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
        self._parting = Parting(assignment, around, registry, worker, self._leaving, self.findings)
        self._guarding = Guarding(assignment, around, worker, tracker, self._parting, self.findings)
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
            former = self._preparation.former_url
            moved = await self.worker(adapters.set_damaged_aside, identity, former, self.around.clock())
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
                prepared, erasure = await self._preparation.prepared(), self._sharings[0].latest_erasure
            if isinstance(prepared, Prepared):
                await self._align(stack, prepared, erasure, target, tenant)
                return
            await self._leave_first(stack, prepared.former, tenant)
        if self.assignment.intent is Intent.ENFORCE and self.findings.former is None:
            assignment = replace(self.assignment, former_target=None)
            self._preparation = replace(self._preparation, assignment=assignment)
            await self._steps(tenant)

    async def _align(
        self, stack: AsyncExitStack, prepared: Prepared, erasure: bytes, target: Target, tenant: Tenant
    ) -> None:
        """Make the target what the audience says, and leave the former target, if there is one.

        `erasure`: the latest one from the ledger when it was opened.
        """
        try:
            async with self.around.slots.workspace(self.assignment.connection.metadata.key):
                workspace = await self._opened(stack)
                await self._extract_and_match(workspace, tenant.engage)
                prepared = await self._held(stack, prepared, erasure)
                self.findings.is_baselining = prepared.ledger.info.is_baselining
                earlier = await self._earlier_batches(target, prepared.ledger)
                await self._diff(workspace, prepared.ledger, target)
                if earlier is not None:
                    self.findings.under_way = await earlier.hold(workspace)
                if isinstance(prepared.former, Former):
                    await self._parting.compare(workspace, prepared.former)
                decision = await self._guarding.decide(workspace, prepared, target)
            if self.assignment.intent is Intent.ENFORCE:
                await self._applying.apply(workspace, target, prepared, decision, tenant.engage)
                await self._parting.leave(workspace, prepared, decision)
                await self._look_for_drift(workspace, target, prepared.ledger)
                await self._remember(prepared.ledger)
        finally:  # before the worker takes the workspace down, which is 10 ms after 1,000,000 contacts
            self.findings.ledger = await self.worker(prepared.reference)

    async def _held(self, stack: AsyncExitStack, prepared: Prepared, erasure: bytes) -> Prepared:
        """Hold the ledgers to the run's end, so that nobody is erased from them meanwhile.

        A handle from before an erasure is of a version that is gone, and is opened anew.
        """
        await stack.enter_async_context(self._sharings[0].taken())
        if isinstance(prepared.former, Former):
            former = await self._held_former(stack, prepared.former)
            prepared = replace(prepared, former=former)
        if self._sharings[0].latest_erasure == erasure:
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
            await self._parting.compare(workspace, former)
            decision = await self._guarding.of_former(workspace, former)
        if self.assignment.intent is Intent.ENFORCE:
            await self._parting.take_off(workspace, former, None, decision)

    async def _earlier_batches(self, target: Target, ledger: Ledger) -> EarlierBatches | None:
        """None where nothing is sent in bulk, or nothing is sent at all."""
        if self.assignment.is_a_decision or self.assignment.intent is not Intent.ENFORCE:
            return None
        table = await self.worker(self.around.adapters.batches, ledger)
        writing = self.registry.own_writes.of(self.assignment.identity.host)
        earlier = EarlierBatches(target, ledger, table, self.worker, self.around.clock, writing)
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
