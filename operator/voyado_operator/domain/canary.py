"""What a first change did to a contact besides what it was meant to do, and what of it may be undone. Pure.

Putting back writes no yes, whatever the contact showed before. It writes a no only where the contact showed a no. So an
opt-out is never undone, whether it was ours or the person's own; what stays is for a person to put right.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voyado_operator.domain.contact import Contact, Facet, preference_key
from voyado_operator.domain.names import shown


@dataclass(frozen=True, slots=True)
class Change:
    """One part of a contact that two looks show differently; None: it was, or is, not set."""

    kind: str
    name: str
    was: Any
    now: Any

    def is_of(self, facet: Facet) -> bool:
        return (self.kind, self.name.lower()) == (facet.kind, facet.key)

    def __str__(self) -> str:
        return f"the {self.kind} {shown(self.name)}"


def changes(before: Contact, after: Contact, ours: Collection[Facet] = ()) -> Iterator[Change]:
    """Yield what changed, except for what `ours` says: facets that other runs of this operator may just have written.

    A facet explains a change only if the contact shows its value now.
    """
    for change in _changed(before, after):
        if not any(change.is_of(facet) and facet.is_done(after) for facet in ours):
            yield change


def harm(before: Contact, after: Contact, facet: Facet | None, ours: Collection[Facet] = ()) -> list[str]:
    """Return what is wrong after `facet` was written, in words that hold names and never values; empty: nothing."""
    wrong = side_effects(before, after, facet, ours)
    if facet is not None and not facet.is_done(after):
        wrong.insert(0, f"the {facet.kind} {facet.name} was not set to {str(facet.value).lower()}")
    return wrong


def side_effects(before: Contact, after: Contact, facet: Facet | None, ours: Collection[Facet] = ()) -> list[str]:
    """Return what changed besides `facet`, whether or not that was written."""
    return [f"{one} changed too" for one in changes(before, after, ours) if facet is None or not one.is_of(facet)]


def may_lose(before: Contact, facet: Facet | None) -> bool:
    """Return whether the contact could show that writing `facet` resets what the request does not name."""
    if facet is None or facet.kind == "attribute":
        return True
    if facet.kind == "preference":
        return bool(_given(before) - {facet.key})
    return any(name.lower() != facet.key for name in before.consents or {})


def undoing(before: Contact, after: Contact, facet: Facet | None, others: Collection[Facet] = ()) -> dict[str, Any]:
    """Return the request that puts back what may be put back of a contact that `facet` was written to.

    What `others` of our runs may be writing is theirs: it is left alone, whatever its value.

    A tenant may reset preferences or consents that a request does not name. So the request holds some only where the
    first change held one too and left its siblings alone, or where nothing else could be reset.
    """
    undone = [one for one in _changed(before, after) if _is_own(one, facet) or not any(map(one.is_of, others))]
    siblings = {one.kind for one in changes(before, after, others) if not _is_own(one, facet)}
    spares = {facet.kind} - siblings if facet else set()
    preferences = {one.name for one in undone if _was_no(one, "preference") and one.name in _FLAGS}
    consents = {one.name for one in undone if _was_no(one, "consent")}
    request: dict[str, Any] = {
        one.name: one.was for one in undone if one.kind == "attribute" and not _decides(one.name, before, after)
    }
    if preferences and ("preference" in spares or _given(after) <= preferences):
        request["preferences"] = {_FLAGS[name]: False for name in sorted(preferences)}
    if consents and ("consent" in spares or (after.consents or {}).keys() <= consents):
        request["consents"] = [{"id": name, "value": False} for name in sorted(consents)]
    return request


def _is_own(change: Change, facet: Facet | None) -> bool:
    return facet is not None and change.is_of(facet)


def _was_no(change: Change, kind: str) -> bool:
    """A yes in the place of a no that the contact showed: the only decision that may be put back."""
    return change.kind == kind and change.was is False and change.now is True


def _given(contact: Contact) -> set[str]:
    return {name for name, value in contact.preferences.items() if value}


def _decides(name: str, *contacts: Contact) -> bool:
    """Whether an attribute is a preference or a consent under another roof, which attributes never put back."""
    consents = {consent.lower() for contact in contacts for consent in contact.consents or {}}
    preferences = {preference for contact in contacts for preference in contact.preferences}
    return name.lower() in consents or preference_key(name) in preferences | _FLAGS.keys()


_FLAGS = {"acceptsemail": "acceptsEmail", "acceptssm": "acceptsSms", "acceptspostal": "acceptsPostal"}
"""Preferences by their key, as requests write them."""


def _changed(before: Contact, after: Contact) -> Iterator[Change]:
    yield from _between("attribute", before.attributes, after.attributes, str.lower)
    yield from _between("preference", before.preferences, after.preferences, str)
    yield from _between("consent", _values(before), _values(after), str.lower)


def _between(
    kind: str, before: Mapping[str, Any], after: Mapping[str, Any], key: Callable[[str], str]
) -> Iterator[Change]:
    """Names are compared by their `key`; what is None, and what is not there, are the same."""
    names = {key(name): name for name in (*before, *after)}
    was, now = ({key(name): value for name, value in one.items()} for one in (before, after))
    for one in sorted(names):
        if was.get(one) != now.get(one):
            yield Change(kind, names[one], was.get(one), now.get(one))


def _values(contact: Contact) -> dict[str, bool]:
    return {name: state.value for name, state in (contact.consents or {}).items()}
