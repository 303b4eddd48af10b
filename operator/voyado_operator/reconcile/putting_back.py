"""Putting back the contacts that a first change did harm to, and saying what stays."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from voyado_operator.domain.canary import changes, undoing
from voyado_operator.domain.contact import Contact, Facet
from voyado_operator.domain.errors import RunError
from voyado_operator.reconcile.own_writes import Writing
from voyado_operator.reconcile.ports import Target


@dataclass(slots=True)
class Restored:
    """The contacts that are `as_before`, and those of which the change itself is `undone`.

    What `stays` changed is counted by contacts; `unseen` do not show it. `error` is why a request to put back failed.
    """

    facet: Facet | None
    as_before: set[str] = field(default_factory=set)
    undone: set[str] = field(default_factory=set)
    stays: Counter[str] = field(default_factory=Counter)
    unseen: int = 0
    error: RunError | None = None

    def __str__(self) -> str:
        if not self.stays and not self.unseen:
            is_shown = self.facet is not None
            hidden = "what shows was put back; whether the label is on the contact does not show"
            return "it was put back as it was" if is_shown else hidden
        why = f": {self.error}" if self.error else ""
        said = f"it could NOT be put back as it was{why}"
        if self.stays:
            parts = ", ".join(f"{part} of {count} contact(s)" for part, count in sorted(self.stays.items()))
            said += (
                f"; {parts} stays as it is now, as putting back writes no yes, no no where nothing was set, and undoes "
                "no opt-out: see in Engage what should be otherwise"
            )
        return said + (f"; {self.unseen} contact(s) could not be looked at afterwards" if self.unseen else "")


async def put_back(
    target: Target, before: Mapping[str, Contact], seen: Mapping[str, Contact], facet: Facet | None, writing: Writing
) -> Restored:
    """Undo what the look `seen` has shown, as far as that may be done; look again, and return what is there."""
    since, restored = writing.now(), Restored(facet)
    for contact_id, now in seen.items():
        others = writing.of_others(since)
        if request := undoing(before[contact_id], now, facet, others):
            try:
                await target.restore(contact_id, request)
            except RunError as error:
                restored.error = error
    again = (await target.read(list(before))).contacts
    others = writing.of_others(since)
    for contact_id, now in again.items():
        stays = list(changes(before[contact_id], now, others))
        restored.stays.update(map(str, stays))
        if not stays:
            restored.as_before.add(contact_id)
        if facet is not None and not facet.is_done(now) and not any(one.is_of(facet) for one in stays):
            restored.undone.add(contact_id)
    restored.unseen = len(before) - len(again)
    return restored
