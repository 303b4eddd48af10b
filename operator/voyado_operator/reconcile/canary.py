"""The first change of a kind, done to one contact (in bulk: ten) that is looked at before and after (DESIGN 4)."""

import asyncio
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from voyado_operator.domain.canary import harm, may_lose, side_effects
from voyado_operator.domain.contact import Contact, Facet
from voyado_operator.domain.delivery import CONTACT_GONE, PUT_BACK, Operation, Outcome, Result
from voyado_operator.domain.errors import EngageUnavailable, RunError, Stall, TargetUnsafe
from voyado_operator.domain.target import Capability, Mode
from voyado_operator.reconcile.own_writes import Writing
from voyado_operator.reconcile.ports import Delivered, Target
from voyado_operator.reconcile.putting_back import put_back
from voyado_operator.reconcile.trials import Trials

MOST_TRIED = 10  # contacts; refused by all of them, a change is refused by everybody
LOOKS, BETWEEN_LOOKS = 3, 1.0  # an answer may be older than the change that was just acknowledged


@dataclass(slots=True)
class Trial:
    """What became of the contacts that were tried; `rest` may be sent, unless `stopped`.

    `proven` is how Engage was shown to do such a change as it should.
    """

    rest: Sequence[str]
    target: Target
    proven: Mode | None = None
    accepted: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    declined: list[str] = field(default_factory=list)
    others: list[Outcome] = field(default_factory=list)
    stopped: RunError | None = None


@dataclass(frozen=True, slots=True)
class _Tried:
    """The contacts as they were `before` the change, and what Engage said of it.

    `since` is when they were looked at, as the writing's clock has it.
    """

    before: Mapping[str, Contact]
    facet: Facet | None
    delivered: Delivered
    since: float

    @property
    def accepted(self) -> Set[str]:
        return set(self.delivered.accepted)

    @property
    def reached(self) -> list[str]:
        """Whom the change may have been done to."""
        unanswered = {one.contact_id for one in self.delivered.others if one.result is Result.UNKNOWN}
        return [one for one in self.before if one in self.accepted | unanswered]

    @property
    def changed(self) -> Set[str]:
        """Who was changed by it: to a contact that was so before, anything might have been done."""
        return {one for one in self.accepted if self.facet is None or not self.facet.is_done(self.before[one])}

    def wrong(self, seen: Mapping[str, Contact], ours: Set[Facet]) -> set[str]:
        """Return what is wrong with the contacts that are seen now, in words."""
        problems = set[str]()
        for contact_id, now in seen.items():
            judge = harm if contact_id in self.accepted else side_effects
            problems.update(judge(self.before[contact_id], now, self.facet, ours))
        return problems


@dataclass(frozen=True, slots=True)
class _Look:
    """The contacts that Engage showed after the change, what is wrong with them, and who could not be looked at.

    `stopped` is why nobody else could be.
    """

    seen: Mapping[str, Contact]
    wrong: set[str]
    unseen: Set[str]
    stopped: RunError | None


@dataclass(slots=True)
class Canary:
    """Goes ahead of every batch of a kind that is not `proven`; `prove` is told what has been shown.

    `writing` tells what other runs of this operator write at the same time, which is no harm.
    """

    target: Target
    is_proven: Callable[[Capability], bool]
    prove: Callable[[Capability], None]
    trials: Trials
    writing: Writing
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopped: RunError | None = None
    _nothing_to_lose: int = 0

    async def fly(self, operation: Operation, contact_ids: Sequence[str], target: Target) -> Trial:
        """Try the change on the first contacts that Engage shows; other batches wait for what becomes of them.

        `target` is the canary's own, which remembers the batches of this announcement.
        """
        trial = Trial(rest=contact_ids, target=target)
        if self.unproven(operation, len(contact_ids)):
            async with self._alone:
                trial.stopped = self._stopped
                # What is left of a bulk batch may be so few that they go singly, which is another kind.
                while trial.rest and not trial.stopped and (capability := self.unproven(operation, len(trial.rest))):
                    await self._fly(operation, capability, trial)
                self._stopped = trial.stopped
        return trial

    def unproven(self, operation: Operation, contacts: int) -> Capability | None:
        """What is to be tried before a batch of so many contacts goes out."""
        capability = self.target.capability(operation, contacts)
        return None if capability is None or self.is_proven(capability) else capability

    async def _fly(self, operation: Operation, capability: Capability, trial: Trial) -> None:
        refused, codes = 0, set[str]()
        while trial.rest and trial.stopped is None and not self.is_proven(capability):
            size = min(MOST_TRIED, len(trial.rest)) if capability.mode is Mode.BULK else 1
            some, trial.rest = trial.rest[:size], trial.rest[size:]
            known = len(trial.others)
            async with self.trials.of(some):
                accepted = await self._try(operation, some, capability, trial)
            told = {one.detail for one in trial.others[known:]}
            codes |= told
            if accepted == 0 and told - {CONTACT_GONE}:
                refused += size
            if trial.stopped is None and refused >= MOST_TRIED:
                trial.stopped = TargetUnsafe(
                    f"Engage took none of the first {refused} changes ({', '.join(sorted(codes))}); check that the "
                    f"{capability.target} exists there as the manifests describe it"
                )

    async def _try(self, operation: Operation, some: Sequence[str], capability: Capability, trial: Trial) -> int:
        """Do it to `some`; return how many were accepted, and prove or stop."""
        since = self.writing.now()
        reading = await self.target.read(some)
        for one in reading.unseen:
            if operation is Operation.REMOVE and one.detail == CONTACT_GONE:
                trial.accepted.append(one.contact_id)
            else:
                trial.others.append(one)
        trial.stopped = reading.stopped
        if reading.stopped or not reading.contacts:
            return 0
        delivered = await trial.target.apply_as(capability.mode, operation, list(reading.contacts))
        tried = _Tried(reading.contacts, self.target.facet(operation), delivered, since)
        trial.stopped = delivered.stopped
        await self._judge(tried, capability, trial)
        return len(delivered.accepted)

    async def _judge(self, tried: _Tried, capability: Capability, trial: Trial) -> None:
        """Prove what is shown to be right, put back what is shown to be wrong, and stop at what is not shown."""
        look = await self._look(tried)
        others = tried.delivered.others
        if look.wrong:
            fates, said = await self._put_back(tried, look)
            trial.stopped = TargetUnsafe(f"{_described(capability, tried.before, look.wrong)}; {said}")
            trial.others += [*fates, *(one for one in others if one.result is Result.REJECTED)]
            return
        trial.accepted += [one for one in tried.accepted if one not in look.unseen]
        trial.adopted += tried.delivered.adopted
        trial.declined += tried.delivered.declined
        trial.others += others
        trial.others += [Outcome(one, Result.UNKNOWN, "NotLookedAt") for one in tried.accepted & look.unseen]
        if look.unseen:
            trial.stopped = look.stopped if isinstance(look.stopped, Stall) else _unjudged(look.unseen)
        elif trial.stopped is None and self._is_shown(tried):
            trial.proven = capability.mode
            self.prove(capability)

    def _is_shown(self, tried: _Tried) -> bool:
        """Whether it is shown by now that the change does no harm: on somebody to whom it could have done some.

        Where the first contacts have no other preference or consent, MOST_TRIED of them are enough.
        """
        changed = tried.changed - self.trials.harmed
        self._nothing_to_lose += len(changed)
        could_show = any(may_lose(tried.before[one], tried.facet) for one in changed)
        return bool(changed) and (could_show or self._nothing_to_lose >= MOST_TRIED)

    async def _look(self, tried: _Tried) -> _Look:
        """Look at whom the change may have reached until nothing is wrong or missing, LOOKS times at most."""
        reached = tried.reached
        look = _Look({}, set(), set(), None)
        for number in range(LOOKS if reached else 0):
            await asyncio.sleep(BETWEEN_LOOKS * bool(number))
            reading = await self.target.read(reached)
            wrong = tried.wrong(reading.contacts, self.writing.of_others(tried.since))
            look = _Look(reading.contacts, wrong, set(reached) - reading.contacts.keys(), reading.stopped)
            if not look.wrong and not look.unseen:
                break
        return look

    async def _put_back(self, tried: _Tried, look: _Look) -> tuple[list[Outcome], str]:
        """Undo what the look has shown; return what became of each contact, and what there is to say."""
        before = {one: tried.before[one] for one in tried.reached}
        restored = await put_back(self.target, before, look.seen, tried.facet, self.writing)
        self.trials.harmed |= before.keys() - restored.as_before
        fates = [
            Outcome(one, Result.REJECTED, PUT_BACK)
            if one in restored.undone
            else Outcome(one, Result.UNKNOWN, "NotPutBack")
            for one in before
        ]
        return fates, str(restored)


def _unjudged(unseen: Set[str]) -> EngageUnavailable:
    return EngageUnavailable(
        f"a first change was sent, and {len(unseen)} contact(s) could not be looked at afterwards: whether it did what "
        "it should is not known; the rest waits for the next run, which tries and looks again"
    )


def _described(capability: Capability, tried: Mapping[str, Contact], problems: set[str]) -> str:
    how = "in bulk " if capability.mode is Mode.BULK else ""
    advice = '; write bulk: {mode: "Off"} in the VoyadoConnection to go without' if how else ""
    return (
        f"a first change {how}of {len(tried)} contact(s) did not do what it should: "
        f"{', '.join(sorted(problems))}{advice}"
    )
