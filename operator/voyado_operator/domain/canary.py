"""What a first change did to a contact besides what it was meant to do. Pure."""

from collections.abc import Collection, Iterator
from typing import Any

from voyado_operator.domain.contact import Contact, Facet
from voyado_operator.domain.names import shown


def harm(before: Contact, after: Contact, facet: Facet | None) -> list[str]:
    """What is wrong after `facet` was written, in words that hold names and never values; empty: nothing."""
    wrong = side_effects(before, after, facet)
    if facet is not None and not facet.is_done(after):
        wrong.insert(0, f"the {facet.kind} {facet.name} was not set to {str(facet.value).lower()}")
    return wrong


def side_effects(before: Contact, after: Contact, facet: Facet | None) -> list[str]:
    """What changed besides `facet`, whether or not that was written."""
    own = (facet.kind, facet.key) if facet else None
    return [
        f"the {kind} {shown(name)} changed too" for kind, name in _changed(before, after) if (kind, name.lower()) != own
    ]


def undoing(before: Contact, after: Contact, facet: Facet | None, spared: Collection[str] = ()) -> dict[str, Any]:
    """The changes that make the contact again what it was before `facet` was written.

    A consent that was not set cannot become so again (engage-api.md 6): it is set to false. All consents are named, as
    they may have been replaced, and may be again. A no that a request cannot have caused, as it named neither
    preferences nor consents, is the person's own, and stays. So do the attributes `spared` (in lower case), which are
    others' labels: one that came meanwhile is a member by their ledger.
    """
    request = facet.kind if facet else "attribute"
    changes: dict[str, Any] = {}
    were = {name: state.value for name, state in (before.consents or {}).items()}
    for kind, name in _changed(before, after):
        if kind == "attribute" and name.lower() not in spared:
            changes[name] = before.attributes.get(name)
        elif (
            kind == "preference" and name in before.preferences and _may_write(before.preferences[name], kind, request)
        ):
            changes.setdefault("preferences", {})[_FLAGS.get(name, name)] = before.preferences[name]
        elif kind == "consent" and _may_write(_was_given(before, name), kind, request):
            were.setdefault(name, False)
            changes["consents"] = [{"id": one, "value": value} for one, value in were.items()]
    return changes


def _was_given(contact: Contact, consent: str) -> bool:
    state = (contact.consents or {}).get(consent)
    return state is not None and state.value


def _may_write(value: bool, kind: str, request: str) -> bool:  # noqa: FBT001 - what would be written
    return kind == request or not value


_FLAGS = {"acceptsemail": "acceptsEmail", "acceptssm": "acceptsSms", "acceptspostal": "acceptsPostal"}
"""Preferences by their key, as requests write them."""


def _changed(before: Contact, after: Contact) -> Iterator[tuple[str, str]]:
    for name in sorted(before.attributes.keys() | after.attributes.keys()):
        if before.attributes.get(name) != after.attributes.get(name):
            yield "attribute", name
    for name in sorted(before.preferences.keys() | after.preferences.keys()):
        if before.preferences.get(name) != after.preferences.get(name):
            yield "preference", name
    was, is_now = before.consents or {}, after.consents or {}
    for name in sorted(was.keys() | is_now.keys()):
        if (was[name].value if name in was else None) != (is_now[name].value if name in is_now else None):
            yield "consent", name
