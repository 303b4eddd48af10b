"""The first change of a kind, done to one contact (in bulk: ten) that is looked at before and after (DESIGN 4)."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from voyado_operator.domain.canary import harm, side_effects, undoing
from voyado_operator.domain.contact import Contact, Facet
from voyado_operator.domain.delivery import CONTACT_GONE, Operation, Outcome, Result
from voyado_operator.domain.errors import RunError, TargetUnsafe
from voyado_operator.domain.target import Capability, Mode
from voyado_operator.reconcile.ports import Target
from voyado_operator.reconcile.trials import Trials

MOST_TRIED = 10  # contacts; refused by all of them, a change is refused by everybody
Judge = Callable[[Contact, Contact], list[str]]
LOOKS, BETWEEN_LOOKS = 3, 1.0  # an answer may be older than the change that was just acknowledged


@dataclass(slots=True)
class Trial:
    """What became of the contacts that were tried; `rest` may be sent, unless `stopped`.

    `proven` is how Engage was shown to do such a change as it should.
    """

    rest: Sequence[str]
    proven: Mode | None = None
    accepted: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    declined: list[str] = field(default_factory=list)
    others: list[Outcome] = field(default_factory=list)
    stopped: RunError | None = None


@dataclass(slots=True)
class Canary:
    """Goes ahead of every batch of a kind that is not `proven`; `prove` is told what has been shown.

    `spared` tells the attributes that other activations write, in lower case.
    """

    target: Target
    is_proven: Callable[[Capability], bool]
    prove: Callable[[Capability], None]
    trials: Trials
    spared: Callable[[], Collection[str]] = frozenset
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopped: RunError | None = None

    async def fly(self, operation: Operation, contact_ids: Sequence[str]) -> Trial:
        """Try the change on the first contacts that Engage shows; other batches wait for what becomes of them."""
        trial = Trial(rest=contact_ids)
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
        reading = await self.target.read(some)
        for one in reading.unseen:
            if operation is Operation.REMOVE and one.detail == CONTACT_GONE:
                trial.accepted.append(one.contact_id)
            else:
                trial.others.append(one)
        trial.stopped = reading.stopped
        before = reading.contacts
        if reading.stopped or not before:
            return 0
        delivered = await self.target.apply_as(capability.mode, operation, list(before))
        trial.stopped = delivered.stopped
        accepted = delivered.accepted
        unanswered = [one.contact_id for one in delivered.others if one.result is Result.UNKNOWN]
        facet = self.target.facet(operation)
        problems = await self._problems(before, accepted, partial(harm, facet=facet))
        problems |= await self._problems(before, unanswered, partial(side_effects, facet=facet))
        if problems:
            left = await self._put_back(before, facet)
            trial.stopped = TargetUnsafe(
                f"{_described(capability, before, problems)}; {left or 'it was put back as it was'}"
            )
            fate = (Result.UNKNOWN, "NotPutBack") if left else (Result.REJECTED, "PutBack")
            trial.others += [Outcome(one, *fate) for one in before]
        else:
            trial.accepted += accepted
            trial.adopted += delivered.adopted
            trial.declined += delivered.declined
            trial.others += delivered.others
        telling = [one for one in accepted if facet is None or not facet.is_done(before[one])]
        if trial.stopped is None and telling:
            trial.proven = capability.mode
            self.prove(capability)
        return len(accepted)

    async def _problems(self, before: Mapping[str, Contact], some: Sequence[str], wrong: Judge) -> set[str]:
        """What is wrong with some of the contacts now."""
        problems = set[str]()
        for look in range(LOOKS if some else 0):
            await asyncio.sleep(BETWEEN_LOOKS * bool(look))
            reading = await self.target.read(some)
            if reading.stopped:
                return {"it could not be looked at afterwards"}
            problems = {one for contact, after in reading.contacts.items() for one in wrong(before[contact], after)}
            problems |= {"it could not be looked at afterwards"} if reading.unseen else set()
            if not problems:
                break
        return problems

    async def _put_back(self, before: Mapping[str, Contact], facet: Facet | None) -> str:
        """Undo whatever happened to the contacts; return what could not be undone, in words; empty: nothing."""
        why, spared = "", self.spared()
        for contact_id, now in (await self.target.read(list(before))).contacts.items():
            if changes := undoing(before[contact_id], now, facet, spared):
                try:
                    await self.target.restore(contact_id, changes)
                except RunError as error:
                    why = f": {error}"
        again = (await self.target.read(list(before))).contacts
        is_as_before = [not side_effects(before[contact_id], now, facet=None) for contact_id, now in again.items()]
        if not all(is_as_before) or len(again) < len(before):
            return f"it could NOT be put back as it was{why}"
        return "" if facet else "what shows was put back; whether the label is on the contact does not show"


def _described(capability: Capability, tried: Mapping[str, Contact], problems: set[str]) -> str:
    how = "in bulk " if capability.mode is Mode.BULK else ""
    advice = '; write bulk: {mode: "Off"} in the VoyadoConnection to go without' if how else ""
    return (
        f"a first change {how}of {len(tried)} contact(s) did not do what it should: "
        f"{', '.join(sorted(problems))}{advice}"
    )
