"""The first change of a kind, done to one contact (in bulk: ten) that is looked at before and after (DESIGN 4)."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from voyado_operator.domain.canary import harm, undoing
from voyado_operator.domain.contact import Contact
from voyado_operator.domain.delivery import Operation, Outcome, Result
from voyado_operator.domain.errors import RunError, TargetUnsafe
from voyado_operator.domain.target import Capability, Mode
from voyado_operator.reconcile.ports import Target

MOST_TRIED = 10  # contacts; refused by all of them, a change is refused by everybody
LOOKS, BETWEEN_LOOKS = 3, 1.0  # an answer may be older than the change that was just acknowledged


@dataclass(slots=True)
class Trial:
    """What became of the contacts that were tried; `rest` may be sent, unless `stopped`."""

    rest: list[str]
    accepted: list[str] = field(default_factory=list)
    others: list[Outcome] = field(default_factory=list)
    stopped: RunError | None = None


@dataclass(slots=True)
class Canary:
    """Goes ahead of every batch of a kind that is not `proven`; `prove` is told what has been shown."""

    target: Target
    is_proven: Callable[[Capability], bool]
    prove: Callable[[Capability], None]
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopped: RunError | None = None

    async def fly(self, operation: Operation, contact_ids: Sequence[str]) -> Trial:
        """Try the change on the first contacts that Engage shows; other batches wait for what becomes of them."""
        trial = Trial(rest=list(contact_ids))
        capability = self.target.capability(operation, len(contact_ids))
        if capability is not None and not self.is_proven(capability):
            async with self._alone:
                trial.stopped = self._stopped
                await self._fly(operation, capability, trial)
                self._stopped = trial.stopped
        return trial

    async def _fly(self, operation: Operation, capability: Capability, trial: Trial) -> None:
        refused = 0
        while trial.rest and trial.stopped is None and not self.is_proven(capability):
            size = min(MOST_TRIED, len(trial.rest)) if capability.mode is Mode.BULK else 1
            some, trial.rest = trial.rest[:size], trial.rest[size:]
            accepted = await self._try(operation, some, capability, trial)
            if accepted == 0 and any(one.detail != "ContactNotFound" for one in trial.others[-size:]):
                refused += size
            if trial.stopped is None and refused >= MOST_TRIED:
                codes = sorted({one.detail for one in trial.others})
                trial.stopped = TargetUnsafe(
                    f"Engage took none of the first {refused} changes ({', '.join(codes)}); check that the "
                    f"{capability.target} exists there as the manifests describe it"
                )

    async def _try(self, operation: Operation, some: list[str], capability: Capability, trial: Trial) -> int:
        """Do it to `some`; return how many were accepted, and prove or stop."""
        reading = await self.target.read(some)
        trial.others += reading.unseen
        trial.stopped = reading.stopped
        seen = list(reading.contacts)
        if reading.stopped or not seen:
            return 0
        delivered = await self.target.apply_as(capability.mode, operation, seen)
        trial.stopped = delivered.stopped
        accepted = delivered.accepted
        problems = await self._problems(operation, {one: reading.contacts[one] for one in accepted})
        if problems:
            put_back = await self._put_back(reading.contacts)
            trial.stopped = TargetUnsafe(f"{_described(capability, accepted, problems)}; {put_back}")
            trial.others += [Outcome(one, Result.REJECTED, "PutBack") for one in seen]
        else:
            trial.accepted += accepted
            trial.others += delivered.others
        facet = self.target.facet(operation)
        telling = [one for one in accepted if facet is None or not facet.is_done(reading.contacts[one])]
        if trial.stopped is None and telling:
            self.prove(capability)
        return len(accepted)

    async def _problems(self, operation: Operation, before: dict[str, Contact]) -> set[str]:
        """What is wrong with the contacts now."""
        facet, problems = self.target.facet(operation), set[str]()
        for look in range(LOOKS if before else 0):
            await asyncio.sleep(BETWEEN_LOOKS * bool(look))
            reading = await self.target.read(list(before))
            if reading.stopped:
                return {"it could not be looked at afterwards"}
            problems = {wrong for one, after in reading.contacts.items() for wrong in harm(before[one], after, facet)}
            problems |= {"it could not be looked at afterwards"} if reading.unseen else set()
            if not problems:
                break
        return problems

    async def _put_back(self, before: dict[str, Contact]) -> str:
        """Undo whatever happened to the contacts; say whether that worked."""
        try:
            for contact_id, now in (await self.target.read(list(before))).contacts.items():
                if changes := undoing(before[contact_id], now):
                    await self.target.restore(contact_id, changes)
        except RunError as error:
            return f"it could NOT be put back as it was: {error}"
        again = await self.target.read(list(before))
        as_before = [not undoing(before[contact_id], now) for contact_id, now in again.contacts.items()]
        restored = all(as_before) and len(as_before) == len(before)
        return "it was put back as it was" if restored else "it could NOT be put back as it was"


def _described(capability: Capability, tried: Sequence[str], problems: set[str]) -> str:
    how = "in bulk " if capability.mode is Mode.BULK else ""
    advice = "; write bulk: {mode: Off} in the VoyadoConnection to go without" if how else ""
    return (
        f"a first change {how}of {len(tried)} contact(s) did not do what it should: "
        f"{', '.join(sorted(problems))}{advice}"
    )
