"""Whether a person is opted in: never over a "no" that is newer than what justifies the "yes"."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from voyado_operator.domain.contact import Contact, Facet
from voyado_operator.domain.delivery import Entry

SOURCE = "voyado-operator"
"""Who wrote a consent, as Engage shows it."""


class OptIn(StrEnum):
    """What becomes of a contact that is to be opted in."""

    WRITE = "write"
    ADOPT = "adopt"
    """Engage shows the yes already."""
    DECLINE = "decline"
    """Engage shows the person's own no."""
    UNREADABLE = "unreadable"
    """Engage does not show what would be written over: nothing is written blindly."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A write that was about to be sent at `at`; `witness` is the contact's `modified` as it was then."""

    at: datetime
    witness: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for the yes of one contact, and what may speak against it.

    `decided_at` is the row's; `entry` and `entered_at` the ledger's latest record, if any; `intent` an earlier run's
    whose answer was never learned; `lost_at` when the ledger was lost; `forgotten_at` when the contact was erased from
    all ledgers, or may have been.
    """

    decided_at: datetime | None = None
    entry: Entry | None = None
    entered_at: datetime | None = None
    intent: Intent | None = None
    lost_at: datetime | None = None
    forgotten_at: datetime | None = None


def opt_in(facet: Facet, contact: Contact, evidence: Evidence) -> OptIn:
    """DESIGN 4. A lost ledger may have known anybody's no, so for whom it has no record the loss itself counts.

    So does an erasure: what the ledgers knew of the contact until then may have been a no.
    """
    judged = _judged(facet, contact, evidence)
    if judged is OptIn.WRITE and evidence.forgotten_at is not None:
        return _if_decided_since(evidence.forgotten_at, evidence)
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
    if evidence.intent is not None:
        # Whoever said no after that intent has changed the contact since then.
        untouched = evidence.intent.witness is not None and evidence.intent.witness == contact.modified
        return OptIn.WRITE if untouched else _if_decided_since(evidence.intent.at, evidence)
    known_since = evidence.entered_at if evidence.entry is not None else evidence.lost_at
    return OptIn.WRITE if known_since is None else _if_decided_since(known_since, evidence)


def _consent(facet: Facet, contact: Contact, evidence: Evidence) -> OptIn:
    if contact.consents is None:
        return OptIn.UNREADABLE
    state = contact.consents.get(facet.name)
    if state is not None and state.value:
        return OptIn.ADOPT
    is_unknown = evidence.entry is None and evidence.lost_at is not None
    if is_unknown and _if_decided_since(evidence.lost_at, evidence) is OptIn.DECLINE:
        return OptIn.DECLINE
    return OptIn.WRITE if state is None else _if_decided_since(state.since, evidence)


def _if_decided_since(no: datetime | None, evidence: Evidence) -> OptIn:
    """A no of which Engage does not say since when is taken for the newest of all."""
    newer = no is not None and evidence.decided_at is not None and evidence.decided_at > no
    return OptIn.WRITE if newer else OptIn.DECLINE


def opts_out(entering: Facet, leaving: Facet, contact: Contact) -> bool:
    """Whether to write `leaving` of a contact of which nobody knows whether it ever got `entering`.

    Not if it does not show that, and not over a consent that somebody else has written.
    """
    state = (contact.consents or {}).get(entering.name) if entering.kind == "consent" else None
    is_anothers = state is not None and state.source != SOURCE
    return entering.is_done(contact) and not leaving.is_done(contact) and not is_anothers
