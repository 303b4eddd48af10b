"""The first step of a run: the target's ledger, how far it can be believed, and the target that an edit left."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from voyado_operator.api.activation_status import LedgerRef
from voyado_operator.api.common import ObjectKey
from voyado_operator.domain.errors import LedgerUnavailable, TargetConflict
from voyado_operator.domain.ledger_info import Succession
from voyado_operator.domain.target import Side
from voyado_operator.domain.trust import Trust, trust
from voyado_operator.reconcile.findings import Assignment
from voyado_operator.reconcile.former import Former, LeavingTarget, Released
from voyado_operator.reconcile.gate import hinders
from voyado_operator.reconcile.ownership import holds, succession
from voyado_operator.reconcile.places import Places, places
from voyado_operator.reconcile.ports import Ledger
from voyado_operator.reconcile.registry import Registry, age
from voyado_operator.reconcile.rings import ring_of
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.worker import Worker

Announce = Callable[[str, str, str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The target's ledger, and the former target, if there is one.

    `succeeds`: the owners whose place this activation takes when it claims the ledger. `doubted_since`: a no that was
    said before then may be unknown to the ledger. `was_elsewhere`: the status tells of another target's ledger.
    """

    ledger: Ledger
    trust: Trust
    succeeds: Succession
    doubted_since: datetime | None
    was_elsewhere: bool
    former: Former | Released | None

    def reference(self) -> LedgerRef | None:
        """What the status may tell of the ledger. Until it is claimed, the status keeps what it tells of another."""
        is_told = self.trust is not Trust.RESUMED and not self.was_elsewhere
        return self.ledger.reference() if is_told or self.ledger.has_claimed else None


@dataclass(frozen=True, slots=True)
class FormerFirst:
    """The former target is to be left before the present one is touched."""

    former: Former


@dataclass(frozen=True, slots=True)
class Preparation:
    """`announce` takes the severity, the reason and the message of an Event.

    `is_lost`: the target's ledger was damaged, and has just been moved away.
    """

    assignment: Assignment
    around: Surroundings
    registry: Registry
    worker: Worker
    leaving: LeavingTarget
    announce: Announce
    is_lost: bool = False

    async def prepared(self) -> Prepared | FormerFirst:
        """Raises LedgerUnavailable and TargetConflict."""
        known = self._places()
        former = await self.leaving.find(known.former.url, known.former) if known.former else None
        if known.former and not former:
            self.announce(
                "Warning",
                "TargetRetained",
                f"the ledger of the former target is gone, or is not the one that the status tells of "
                f"({known.former.url}): contacts that are on that target stay on it",
            )
        if isinstance(former, Former) and known.is_former_first:
            return FormerFirst(former)
        try:
            return await self._of_present(known, former)
        except TargetConflict:
            if isinstance(former, Former) and self._opens_ring():
                return FormerFirst(former)
            raise

    @property
    def former_url(self) -> str | None:
        """Where the ledger of a target lies that an edit left, as the status tells."""
        former = self._places().former
        return former.url if former else None

    def _opens_ring(self) -> bool:
        """Whether several activations wait for each other's targets, and this one is the oldest of them.

        None of them would ever run, unless the oldest leaves its former target first.
        """
        ring = ring_of(self.assignment.activation.metadata.key, self._waits_for)
        members = [self.registry.activations[key].latest for key in ring]
        can_all_run = not any(hinders(one, self.registry.connection_of(one)) for one in members)
        oldest = min(members, key=age, default=None)
        return can_all_run and oldest is not None and oldest.metadata.key == self.assignment.activation.metadata.key

    def _waits_for(self, key: ObjectKey) -> ObjectKey | None:
        """The activation that still holds the target which this one wants."""
        wanted, adapters = self.registry.target_of(key), self.around.adapters
        if wanted is None:
            return None
        url = adapters.ledger_url(wanted)
        for other, watched in self.registry.activations.items():
            if other != key and holds(watched.latest.status, url, adapters):
                return other
        return None

    async def _of_present(self, known: Places, former: Former | Released | None) -> Prepared:
        is_doubted = known.former is not None and former is None
        ledger, believed = await self.worker(self._opened, known.present or self._elsewhere(former), is_doubted)
        succeeds = await succession(self.assignment, ledger, self.around, self.registry)
        if succeeds.owners:
            why = "as a person asked for" if succeeds.takeover else "which is gone"
            former_owners = ", ".join(succeeds.owners)
            self.announce("Normal", "LedgerTakenOver", f"goes on with the ledger of {former_owners}, {why}")
        doubted_since = self.assignment.started_at if believed is Trust.RESUMED else ledger.info.lost_at
        return Prepared(
            ledger, believed, succeeds, doubted_since, known.former is not None and not known.present, former
        )

    def _opened(self, known: LedgerRef | None, is_doubted: bool) -> tuple[Ledger, Trust]:  # noqa: FBT001 - a fact
        """The ledger, as this activation's side sees it. One that is lost has started anew."""
        adapters, assignment = self.around.adapters, self.assignment
        found = adapters.existing_ledger(adapters.ledger_url(assignment.identity))
        told = known, self.registry.last_words.get(found.url if found else "")
        witnesses = [one for one in told if one and one.mark]
        believed = trust(
            was_claimed=is_doubted or (found is not None and found.reference().mark is not None),
            is_expected=self.is_lost or (known is not None and known.mark is not None),
            is_vouched_for=found is not None and not self.is_lost and any(map(found.is_vouched_for, witnesses)),
        )
        ledger = found or adapters.new_ledger(assignment.identity)
        ledger.take_side(assignment.side)
        if believed is Trust.LOST:
            ledger.start_anew(self.around.clock(), assignment.former_members or 0 if known is not None else 0)
            adapters.waiting_plans(ledger).drop()  # approved or not, it is about the lost one
            self.announce(
                "Warning",
                "LedgerLost",
                "the ledger is gone, or older than the status knows it: it starts anew, and contacts that left the "
                "audience meanwhile stay on the target",
            )
        elif known is not None and known.url != ledger.url:
            self.announce("Normal", "LedgerMoved", f"goes on with the ledger that was moved from {known.url}")
        return ledger, believed

    def reopened(self, ledger: Ledger, side: Side) -> Ledger:
        """A new handle of the ledger, as the side sees it. Blocking. Raises LedgerUnavailable."""
        found = self.around.adapters.existing_ledger(ledger.url)
        if found is None:
            raise LedgerUnavailable(f"the ledger {ledger.url} went away while the audience was read")
        found.take_side(side)
        return found

    def _places(self) -> Places:
        told, left = self.assignment.former_ledger, self.assignment.former_target
        return places(told, left.ledger if left else None, self._is_present)

    def _is_present(self, ledger: LedgerRef) -> bool:
        adapters = self.around.adapters
        return adapters.is_of_same_target(ledger.url, adapters.ledger_url(self.assignment.identity))

    def _elsewhere(self, former: Former | Released | None) -> LedgerRef | None:
        """What the former target's ledger remembers of the present one, which was left for it."""
        remembered = former.ledger.info.elsewhere if former else ()
        known = (LedgerRef.model_validate(one) for one in remembered)
        return next((one for one in known if self._is_present(one)), None)
