"""Withdrawing the members of activations that are being deleted, each in a task of its own until it is done."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import LedgerRef, Progress, SegmentActivationStatus
from voyado_operator.api.common import Kind
from voyado_operator.domain.delivery import Account, Result
from voyado_operator.domain.errors import (
    ConnectionMissing,
    EngageUnavailable,
    InvalidSpec,
    LedgerUnavailable,
    RunError,
    SecretMissing,
    ServedElsewhere,
)
from voyado_operator.reconcile import finalizer
from voyado_operator.reconcile.conditions import verdict_of
from voyado_operator.reconcile.delivery import Interrupted
from voyado_operator.reconcile.former import Former, LeavingTarget
from voyado_operator.reconcile.keeper import LOOK_AGAIN, StatusKeeper
from voyado_operator.reconcile.progress import FIRST_PROGRESS, Tracker, shown
from voyado_operator.reconcile.registry import Registry, Watched
from voyado_operator.reconcile.sharing import Sharing
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.worker import Worker
from voyado_operator.telemetry.logging import bound
from voyado_operator.workspace import Ambiguous

logger = logging.getLogger(__name__)
RUN = "withdraw"  # what the ledger, Engage and the log call it instead of a run's id
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0  # seconds
GRACE = timedelta(seconds=15)
"""For a connection or Secret that is replaced, or applied again by GitOps; one deleted together does not come back."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """How many contacts were taken off, how many were not, as far as that is known, and why."""

    contacts: int
    left: int
    why: str = ""

    def __add__(self, other: "Withdrawn") -> "Withdrawn":
        why = ", ".join(said for said in (self.why, other.why) if said)
        return Withdrawn(self.contacts + other.contacts, self.left + other.left, why)

    def __str__(self) -> str:
        left = f"; {self.left or 'all others'} stay on it{f': {self.why}' if self.why else ''}"
        return f"{self.contacts} contacts were taken off{left if self.is_partial else ''}"

    @property
    def is_partial(self) -> bool:
        return self.left > 0 or bool(self.why)


@dataclass(frozen=True, slots=True)
class Told:
    """A ledger as a status tells of it, and its number of members. None where the status does not tell."""

    ledger: LedgerRef | None
    members: int | None

    @property
    def may_have_members(self) -> bool:
        """Whether something was ever sent on the ledger's account, and not taken back."""
        return self.ledger is not None and self.ledger.mark is not None and self.members != 0


Keeper = StatusKeeper[SegmentActivationStatus]


class Deletions:
    """Level-triggered: told of the same object again and again, it works on it once."""

    def __init__(self, around: Surroundings, registry: Registry) -> None:
        self._around = around
        self._registry = registry
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._watched: dict[str, Watched[SegmentActivation]] = {}

    def seen(self, activation: SegmentActivation) -> None:
        """Start the withdrawal that a deleted object waits for, if any."""
        uid, known = activation.metadata.uid, self._watched.get(activation.metadata.uid)
        if known is not None:
            before = known.take_in(activation)
            if before.metadata.generation != activation.metadata.generation:
                known.wake.set()  # somebody may have changed the policy
        elif finalizer.holds(activation):
            self._watched[uid] = Watched(activation)
            self._tasks[uid] = asyncio.create_task(
                self._withdraw(activation), name=f"withdraw {activation.metadata.key}"
            )
            self._tasks[uid].add_done_callback(lambda _: self._forget(uid))

    def gone(self, activation: SegmentActivation) -> None:
        """The object is gone, so there is nothing to wait for any more."""
        if task := self._tasks.get(activation.metadata.uid):
            task.cancel()

    def _forget(self, uid: str) -> None:
        self._tasks.pop(uid, None)
        self._watched.pop(uid, None)

    async def stop(self) -> None:
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _withdraw(self, activation: SegmentActivation) -> None:
        tracker = Tracker()
        with bound(activation=str(activation.metadata.key), run=RUN, phase=lambda: tracker.phase):
            await self._try_until_done(activation, tracker)

    async def _try_until_done(self, activation: SegmentActivation, tracker: Tracker) -> None:
        """A person who must act may take their time, and so may Engage."""
        keeper = StatusKeeper(Kind.ACTIVATION, self._around.cluster, activation.status)
        wait, give_up_at = FIRST_WAIT, self._around.clock() + GRACE
        while True:
            try:
                await self._attempt(activation, keeper, tracker)
                return
            except ServedElsewhere:  # that one takes them off, unless it ends before
                wait = LOOK_AGAIN
            except (ConnectionMissing, SecretMissing, InvalidSpec) as error:
                if self._around.clock() >= give_up_at:
                    await self._leave_behind(activation, keeper, str(error))
                    return
                wait = FIRST_WAIT
            except RunError as error:
                logger.warning("%s: %s", error.reason, error)
            except Exception:
                logger.exception("the withdrawal failed")
            await self._woken_or_after(activation.metadata.uid, wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def _woken_or_after(self, uid: str, seconds: float) -> None:
        wake = self._watched[uid].wake
        wake.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), seconds)

    async def _attempt(self, activation: SegmentActivation, keeper: Keeper, tracker: Tracker) -> None:
        metadata = activation.metadata
        await keeper.claim(metadata)
        if self._watched[metadata.uid].latest.spec.deletion_policy == "Retain":
            await self._leave_behind(activation, keeper, "deletionPolicy is Retain by now")
            return
        withdrawn = Withdrawn(0, 0)
        try:
            with Worker(f"withdraw-{metadata.name}") as worker:
                leaving = LeavingTarget(activation, RUN, self._around, self._registry, worker, tracker, lambda: False)
                async with shown(tracker, partial(self._show_progress, activation, keeper), FIRST_PROGRESS):
                    for url, told in self._ledgers(activation).items():
                        withdrawn += await self._emptied(leaving, worker, url, told)
        except RunError as error:
            await keeper.write(metadata, keeper.judged(metadata, verdict_of(error), {}, self._around.clock()))
            raise
        logger.info("Withdrawn: of the target %s", withdrawn, extra={"fields": {"left": withdrawn.left}})
        severity = "Warning" if withdrawn.is_partial else "Normal"
        reason = "TargetRetained" if withdrawn.is_partial and not withdrawn.contacts else "TargetWithdrawn"
        await keeper.announce(metadata, severity, reason, f"of the target {withdrawn}")
        await finalizer.release(self._around.cluster, activation)

    async def _emptied(self, leaving: LeavingTarget, worker: Worker, url: str, told: Told) -> Withdrawn:
        """Take the members of the ledger at `url` off its target: no guard is asked, since it was asked for.

        Raises RunError.
        """
        sharing, account = Sharing(self._around.adapters.share(url)), Account()
        leaving = replace(leaving, is_stopping=sharing.gives_way)
        while True:
            try:
                async with sharing.taken():
                    return await self._emptied_once(leaving, worker, url, told, account)
            except Interrupted:
                logger.info("makes way for an erasure, and goes on after it")
            except LedgerUnavailable:
                if not await worker(self._around.adapters.set_damaged_ledger_aside, url, self._around.clock()):
                    raise

    async def _emptied_once(
        self, leaving: LeavingTarget, worker: Worker, url: str, told: Told, account: Account
    ) -> Withdrawn:
        """`account` may have what was sent before the withdrawal made way for an erasure, or found damage."""
        former = await leaving.find(url, told.ledger)
        if former is None and told.may_have_members:
            sent = account.total(Result.ACCEPTED)
            left = max(0, (told.members or 0) - sent)
            return Withdrawn(sent, left, f"the ledger {url} is gone, or is not the one that the status tells of")
        if not isinstance(former, Former):
            return Withdrawn(0, 0)
        if former.unreachable is not None:
            raise former.unreachable
        async with worker.entered(self._around.adapters.workspace(Ambiguous.SKIP)) as workspace:
            waiting = (await leaving.compare(workspace, former)).waiting
            await leaving.take_off(workspace, former, account)
            held = await worker(workspace.former.count_held)
        if account.total(Result.UNKNOWN):
            raise EngageUnavailable(f"not all contacts could be taken off the target yet: {account.described()}")
        if waiting:
            raise EngageUnavailable(f"{waiting} wait for a bulk update that Engage is still working on")
        await worker(former.ledger.release)
        return Withdrawn(account.total(Result.ACCEPTED), held + account.total(Result.REJECTED), account.described())

    async def _leave_behind(self, activation: SegmentActivation, keeper: Keeper, why: str) -> None:
        """An object that cannot be deleted helps nobody; the ledger still knows who they are."""
        members, ledger = activation.status.members, activation.status.ledger
        left = f"{members or 'all'} members stay on the target{f', see the ledger {ledger.url}' if ledger else ''}"
        await keeper.announce(activation.metadata, "Warning", "TargetRetained", f"{left}: {why}")
        await finalizer.release(self._around.cluster, activation)

    async def _show_progress(self, activation: SegmentActivation, keeper: Keeper, tracker: Tracker) -> None:
        progress = Progress(phase=tracker.phase, done=tracker.done, total=tracker.total)
        status = keeper.judged(activation.metadata, None, {"progress": progress}, self._around.clock())
        await keeper.write(activation.metadata, status)

    def _ledgers(self, activation: SegmentActivation) -> dict[str, Told]:
        """URLs, and what the status tells of each: the present target's, and one that an edit has not left yet."""
        connection, status = self._registry.connection_of(activation), activation.status
        adapters = self._around.adapters
        found = dict[str, Told]()
        if connection is not None:
            found[adapters.ledger_url(adapters.identify(activation, connection))] = Told(None, None)
        if status.ledger is not None:
            found[status.ledger.url] = Told(status.ledger, status.members)
        if status.former_target is not None and (former := status.former_target.ledger) is not None:
            found[former.url] = Told(former, status.former_target.members)
        return found
