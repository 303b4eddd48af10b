"""One activation for as long as it lives: gate, run, report, and when to look again."""

import logging
import random
import secrets
from asyncio import CancelledError
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from functools import partial
from typing import NamedTuple

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import FormerTarget, LedgerRef, Progress, SegmentActivationStatus
from voyado_operator.api.common import Kind
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.errors import RunError
from voyado_operator.domain.schedule import latest_run
from voyado_operator.domain.target import Side
from voyado_operator.reconcile import measuring, report
from voyado_operator.reconcile.conditions import Verdict, progressing, ready_of, verdict_of
from voyado_operator.reconcile.delivery import Interrupted
from voyado_operator.reconcile.finalizer import keep_finalizer
from voyado_operator.reconcile.findings import Assignment, Findings, Intent
from voyado_operator.reconcile.gate import HOLDS, held_back, hinders
from voyado_operator.reconcile.keeper import StatusKeeper
from voyado_operator.reconcile.limits import schedule
from voyado_operator.reconcile.ownership import belongs_to, holder_of, holds
from voyado_operator.reconcile.progress import FIRST_PROGRESS, FIRST_SIGN, Tracker, shown
from voyado_operator.reconcile.registry import Registry, Watched, age, is_being_probed
from voyado_operator.reconcile.run import Run
from voyado_operator.reconcile.run_line import tell
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.triggers import Trigger, approval, is_new_generation, trigger
from voyado_operator.reconcile.worker import Worker
from voyado_operator.telemetry.logging import bound
from voyado_operator.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)
LET_GO_FIRST = 1.0  # seconds between two looks at whether the older one has claimed its target
MOST_PROBES_TAKE = 2.0  # seconds; to say nothing of the wait meanwhile saves each new activation one of three writes


class Due(NamedTuple):
    """A run that nothing keeps from running now."""

    activation: SegmentActivation
    connection: VoyadoConnection
    asked: Trigger


class ActivationLife:
    """Holds the status, as it is its only writer; spec and annotations are always the latest that the watch showed."""

    def __init__(
        self,
        watched: Watched[SegmentActivation],
        around: Surroundings,
        registry: Registry,
        metrics: Metrics,
        is_stopping: Callable[[], object],
    ) -> None:
        self._watched = watched
        self._around = around
        self._registry = registry
        self._metrics = metrics
        self._is_stopping = is_stopping
        self._is_running = False
        self._waiting_since: datetime | None = None
        self._keeper = StatusKeeper(Kind.ACTIVATION, around.cluster, watched.latest.status)

    async def step(self) -> float | None:
        """Do what is to be done now; return after how many seconds to look again, None: when woken.

        Raises Interrupted when asked to stop.
        """
        return await self._keeper.unless_served_elsewhere(self._watched, self._server(), self._step)

    def _server(self) -> str | None:
        """Return the installation that serves its connection, so that all who drive a tenant's targets share one."""
        activation = self._watched.latest
        connection = self._registry.connection_of(activation)
        of_connection = connection.status.served_by if connection else None
        return of_connection or activation.status.served_by

    async def _step(self) -> float | None:
        await self._keeper.restore(self._watched)
        await keep_finalizer(self._around.cluster, self._watched.latest)
        due = await self._look()
        if not isinstance(due, Due):
            return due
        self._is_running = True
        try:
            async with self._turn(due):
                due = await self._look()  # again, as it may have been suspended while it waited
                if not isinstance(due, Due):
                    return due
                failed = await self._run(due.activation, due.connection, due.asked)
        finally:
            self._is_running = False
        return self._seconds_until_next() if failed else 0

    def _turn(self, due: Due) -> AbstractAsyncContextManager[None]:
        """An opt-out waits for no other run."""
        opts_out = self._around.adapters.identify(due.activation, due.connection).on_enter == "Decline"
        return nullcontext() if opts_out else self._around.slots.run(due.connection.metadata.key)

    async def _look(self) -> Due | float | None:
        """The run that is due; where there is none, say why, and after how many seconds to look again."""
        activation = self._watched.latest
        connection = self._registry.connection_of(activation)
        if connection is not None and is_being_probed(connection) and not activation.spec.suspend:
            return await self._await_probe(activation)
        self._waiting_since = None
        present = activation.model_copy(update={"status": self.status})  # the watch may not have shown it yet
        verdict = held_back(present, connection) or _unusable(activation)
        if verdict is not None or connection is None:
            await self._hold_back(activation, verdict)
            return None
        asked = trigger(activation, self.status, self._around.clock())
        if asked is None and self._waits_for_release(activation):
            asked = Trigger.RELEASE
        if asked is None:
            await self._idle(activation, connection)
            return self._seconds_until_next()
        if (first := self._goes_first(activation, connection)) is not None:
            return await self._let_go_first(activation, first)
        return Due(activation, connection, asked)

    @property
    def is_served_elsewhere(self) -> bool:
        """Whether another installation serves it."""
        return self._keeper.is_served_elsewhere

    def is_overdue(self, due_before: datetime) -> bool:
        """Whether a run was due at that time and is not under way."""
        when = self.status.next_run_time
        return when is not None and when < due_before and not self._is_running

    @property
    def status(self) -> SegmentActivationStatus:
        """As last written."""
        status: SegmentActivationStatus = self._keeper.status
        return status

    def _seconds_until_next(self) -> float | None:
        when = self.status.next_run_time
        return None if when is None else max(0.0, (when - self._around.clock()).total_seconds())

    async def _hold_back(self, activation: SegmentActivation, verdict: Verdict | None) -> None:
        """Without a next run: what is scheduled is due as soon as it is let go.

        So is a run that was asked for and found the API key refused.
        """
        was_refused = verdict is not None and verdict.reason == "CredentialsInvalid" and not activation.spec.schedule
        now = self._around.clock()
        when = min(self.status.next_run_time or now, now) if was_refused else None
        await self._write(activation, verdict, {"next_run_time": when})

    async def _await_probe(self, activation: SegmentActivation) -> float | None:
        """Whether the connection works is about to be known; until then nothing new can be said of the activation."""
        now = self._around.clock()
        self._waiting_since = self._waiting_since or now
        left = MOST_PROBES_TAKE - (now - self._waiting_since).total_seconds()
        if 0 < left <= MOST_PROBES_TAKE:
            return left
        if is_new_generation(activation, self.status):
            name = activation.spec.connection_ref.name
            await self._write(activation, progressing(f"waiting until the VoyadoConnection {name} is probed"), {})
        return None

    def _waits_for_release(self, activation: SegmentActivation) -> bool:
        """Whether its target was released, and it has wanted to run before: on schedule, or as somebody asked."""
        last = self.status.last_run
        wants = activation.spec.schedule is not None or (last is not None and last.outcome == "Failed")
        return self._watched.is_freed and wants

    def _goes_first(self, activation: SegmentActivation, connection: VoyadoConnection) -> SegmentActivation | None:
        """An older activation of the same target that is about to claim it, as nobody owns it yet."""
        adapters = self._around.adapters
        url = adapters.ledger_url(adapters.identify(activation, connection))
        if holds(self.status, url, adapters):
            return None
        for older in self._registry.rivals(activation):
            if age(older) > age(activation):
                return None
            its_connection, now = self._registry.connection_of(older), self._around.clock()
            is_due = not hinders(older, its_connection) and trigger(older, older.status, now) is not None
            if is_due and older.metadata.deletion_timestamp is None and not holds(older.status, url, adapters):
                return older
        return None

    def _conflict(self, activation: SegmentActivation, connection: VoyadoConnection) -> Verdict | None:
        """What a run would find, if another activation has claimed the target."""
        target = self._around.adapters.identify(activation, connection)
        url = self._around.adapters.ledger_url(target)
        owner = holder_of(activation, url, self._around.adapters, self._registry)
        return verdict_of(belongs_to(target, owner.metadata.key, self._registry)) if owner else None

    async def _let_go_first(self, activation: SegmentActivation, first: SegmentActivation) -> float:
        if is_new_generation(activation, self.status):
            message = f"the older activation {first.metadata.key} of the same target goes first"
            await self._write(activation, progressing(message), {})
        return LET_GO_FIRST

    async def _idle(self, activation: SegmentActivation, connection: VoyadoConnection) -> None:
        """Nothing to do, and nothing that holds it back; only without a schedule was that not so before."""
        ready, was_freed = ready_of(self.status.conditions), self._watched.is_freed
        settled = ready is not None and ready.reason not in HOLDS and not is_new_generation(activation, self.status)
        verdict = self._conflict(activation, connection)
        if verdict is None and (was_freed or not settled):
            verdict = report.resting(self.status)
        self._watched.is_freed = False
        when = self.status.next_run_time
        if when is not None:  # a clock that was wrong may have said it
            when = min(when, latest_run(schedule(activation.spec.schedule), self._around.clock()))
        await self._write(activation, verdict, {"progress": None, "next_run_time": when})  # a run may have been cut off

    async def _run(self, activation: SegmentActivation, connection: VoyadoConnection, asked: Trigger) -> bool:
        """One run and its report; return whether it failed."""
        self._watched.is_freed = False
        started, tracker = self._around.clock(), Tracker()
        run_id = f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        identity, owner = self._around.adapters.identify(activation, connection), self._around.owner(activation)
        assignment = Assignment(
            run_id=run_id,
            started_at=started,
            intent=Intent.PLAN if asked is Trigger.PLAN_REQUEST else Intent(activation.spec.mode),
            activation=activation,
            connection=connection,
            identity=identity,
            side=Side(owner, identity, connection.metadata.name, activation.spec.target.on_exit, run_id),
            approval=approval(activation, self.status),
            former_ledger=self.status.ledger,
            former_target=self.status.former_target,
            former_members=self.status.members,
        )
        with bound(activation=str(activation.metadata.key), run=assignment.run_id, phase=lambda: tracker.phase):
            findings = await self._execute(assignment, tracker)
            if findings.key_was_refused:
                self._registry.suspect(connection.metadata.key)
            measuring.count_run(self._metrics, assignment, findings, tracker)
            await self._report(assignment, findings, asked)
        return findings.error is not None

    async def _execute(self, assignment: Assignment, tracker: Tracker) -> Findings:
        with Worker(f"run-{assignment.run_id}") as worker, self._metrics.active_runs.track_inprogress():
            claimed = partial(self._show_claim, assignment.activation)
            run = Run(assignment, self._around, self._registry, worker, tracker, self._is_stopping, claimed)
            first = FIRST_SIGN if is_new_generation(assignment.activation, self.status) else FIRST_PROGRESS
            async with shown(tracker, partial(self._show_progress, assignment.activation), first):
                try:
                    return await run.execute()
                except (Interrupted, CancelledError):
                    logger.info("cut off: the next run finds out what is left to do")
                    raise

    async def _report(self, assignment: Assignment, findings: Findings, asked: Trigger) -> None:
        activation = assignment.activation
        status = report.reported(assignment, findings, self.status)
        tell(asked, status, findings)  # first: the API server may not take the status now
        for severity, reason, message in findings.notices:
            await self._keeper.announce(activation.metadata, severity, reason, message)
        if assignment.is_on_the_side:
            await self._write(activation, None, dict(status))
            return
        when = report.next_time(assignment, findings, schedule(activation.spec.schedule), self.status, random.random())  # noqa: S311
        await self._write(activation, report.verdict(assignment, findings), {**dict(status), "next_run_time": when})

    async def _show_progress(self, activation: SegmentActivation, tracker: Tracker) -> None:
        progress = Progress(phase=tracker.phase, done=tracker.done, total=tracker.total)
        await self._write(activation, self._working_on(activation), {"progress": progress})

    async def _show_claim(self, activation: SegmentActivation, claim: LedgerRef, former: FormerTarget | None) -> None:
        await self._write(activation, self._working_on(activation), {"ledger": claim, "former_target": former})

    def _working_on(self, activation: SegmentActivation) -> Verdict | None:
        if not is_new_generation(activation, self.status):
            return None
        return progressing(f"working on generation {activation.metadata.generation}")

    async def _write(self, activation: SegmentActivation, verdict: Verdict | None, changes: dict[str, object]) -> None:
        """Write the changed status; without a verdict its conditions stay."""
        status = self._keeper.judged(activation.metadata, verdict, changes, self._around.clock())
        measuring.show_status(self._metrics, activation, status)
        await self._keeper.write(activation.metadata, status)


def _unusable(activation: SegmentActivation) -> Verdict | None:
    """What is wrong with a manifest that the API server could not see."""
    try:
        schedule(activation.spec.schedule)
    except RunError as error:
        return verdict_of(error)
    return None
