"""Whether a person is opted in: never over a "no" that is newer than what justifies the "yes"."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from voyado_operator.domain.contact import Contact, Facet
from voyado_operator.domain.delivery import Entry

SOURCE = "voyado-operator"
"""Who wrote a consent, as Engage shows it."""

SHARPNESS = timedelta(seconds=5)
"""Engage's dates may be cut to the second, and its clock is known about as well as that."""


class OptIn(StrEnum):
    """What becomes of a contact that is to be opted in."""

    WRITE = "write"
    ADOPT = "adopt"
    """Engage shows the yes already."""
    DECLINE = "decline"
    """Engage shows the person's own no."""
    LATER = "later"
    """The next run opts the contact in, as this one finds the members of a lost ledger again."""
    DOUBT = "doubt"
    """Engage shows no yes, and the ledger that would tell whether the person said no was lost."""
    UNREADABLE = "unreadable"
    """Engage does not show what would be written over: nothing is written blindly."""
    MOVED = "moved"
    """The address that the contact was found by is not the contact's any more."""


NOT_WRITTEN = {OptIn.UNREADABLE: "NotShown", OptIn.MOVED: "AddressChanged"}
"""How it is called when a contact is refused by ourselves."""

Judge = Callable[[str, Contact], OptIn]
"""Says of a contact id, and the contact as Engage shows it right now, what becomes of it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for the yes of one contact, and what may speak against it.

    `decided_at` is the row's; `entry` and `entered_at` the ledger's latest record, if any; `lost_at` when the ledger
    was lost; `forgotten_at` when the contact was erased from all ledgers, or may have been.
    """

    decided_at: datetime | None = None
    entry: Entry | None = None
    entered_at: datetime | None = None
    lost_at: datetime | None = None
    forgotten_at: datetime | None = None


def may_opt_in(facet: Facet, evidence: Evidence) -> bool:
    """Whether a look at the contact can lead to a write at all."""
    if _may_be_forgotten(evidence):
        return False
    if facet.kind == "preference":
        return evidence.entry is Entry.ASKED or _is_justified(evidence)
    return evidence.entry is not None or _is_justified(evidence)


def opt_in(facet: Facet, contact: Contact, evidence: Evidence) -> OptIn:
    """Return what becomes of the contact, by what Engage shows and the records say (docs/design/one-truth.md).

    A lost ledger may have known anybody's no, or a newer one than it tells of, so the loss itself counts as one. So
    does an erasure: what the ledgers knew of the contact until then may have been a no.
    """
    judged = _judged(facet, contact, evidence)
    if judged is OptIn.WRITE and _may_be_forgotten(evidence):
        return OptIn.DECLINE
    if judged is OptIn.DECLINE and evidence.lost_at is not None:
        but_for_the_loss = opt_in(facet, contact, replace(evidence, lost_at=None))
        return OptIn.DOUBT if but_for_the_loss is OptIn.WRITE else judged
    return judged


def _judged(facet: Facet, contact: Contact, evidence: Evidence) -> OptIn:
    if facet.kind == "preference":
        return _preference(facet.shown(contact), contact, evidence)
    return _consent(facet, contact, evidence)


def _preference(value: bool | None, contact: Contact, evidence: Evidence) -> OptIn:  # noqa: FBT001 - a state
    if value is None:
        return OptIn.UNREADABLE
    if value:
        return OptIn.ADOPT
    # What was asked may have been done, and the no that shows be a later one. Not if nothing of the contact was changed
    # since: then it is the no that was going to be written over.
    is_as_it_was = evidence.entry is Entry.ASKED and _is_untouched(contact, evidence.entered_at)
    return OptIn.WRITE if is_as_it_was or _is_justified(evidence) else OptIn.DECLINE


def _consent(facet: Facet, contact: Contact, evidence: Evidence) -> OptIn:
    if contact.consents is None:
        return OptIn.UNREADABLE
    state = contact.consents.get(facet.name)
    if state is not None and state.value:
        return OptIn.ADOPT
    if not may_opt_in(facet, evidence):
        return OptIn.DECLINE
    is_newer = state is None or (state.since is not None and _is_decided_since(state.since, evidence))
    return OptIn.WRITE if is_newer else OptIn.DECLINE


def _may_be_forgotten(evidence: Evidence) -> bool:
    """Whether an erasure may have taken a no with it that is newer than the yes."""
    return evidence.forgotten_at is not None and not _is_decided_since(evidence.forgotten_at, evidence)


def _is_justified(evidence: Evidence) -> bool:
    """Whether the yes is newer than any no that our own records may stand for."""
    return all(no is None or _is_decided_since(no, evidence) for no in (evidence.entered_at, evidence.lost_at))


def _is_decided_since(no: datetime, evidence: Evidence) -> bool:
    return evidence.decided_at is not None and evidence.decided_at > no


def _is_untouched(contact: Contact, since: datetime | None) -> bool:
    return since is not None and contact.modified is not None and contact.modified < since - SHARPNESS


def opts_out(entering: Facet, leaving: Facet, contact: Contact) -> bool:
    """Whether to write `leaving` of a contact of which nobody knows whether it ever got `entering`.

    Not if it does not show that, and not over a consent that somebody else has written.
    """
    state = (contact.consents or {}).get(entering.name) if entering.kind == "consent" else None
    is_anothers = state is not None and state.source != SOURCE
    return entering.is_done(contact) and not leaving.is_done(contact) and not is_anothers
