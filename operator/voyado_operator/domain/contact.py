"""A contact as Engage shows it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


def preference_key(name: str) -> str:
    """One spelling: the casing of preferences is not uniform in Engage, and some have a plural (engage-api.md 3)."""
    return name.lower().removesuffix("s")


@dataclass(frozen=True, slots=True)
class ConsentState:
    """A consent's value, since when, and by whom it was written (None where Engage does not say)."""

    value: bool
    since: datetime | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Names of preferences are as `preference_key` gives them; `modified` is Engage's `meta.modifiedOn`, at the latest.

    `created` is the earliest moment that `meta.createdOn` can mean.
    `consents` is None where the answer shows no consents at all, which is not the same as none given.
    """

    attributes: dict[str, Any] = field(default_factory=dict, repr=False)
    preferences: dict[str, bool] = field(default_factory=dict)
    consents: dict[str, ConsentState] | None = None
    modified: datetime | None = None
    created: datetime | None = None

    def attribute(self, name: str) -> Any:
        """In whatever case Engage spells it."""
        return next((value for key, value in self.attributes.items() if key.lower() == name.lower()), None)

    @property
    def address(self) -> str | None:
        """The e-mail address, as rows of an audience are normalised."""
        email = self.attribute("email")
        return email.strip().lower() if isinstance(email, str) else None


@dataclass(frozen=True, slots=True)
class Facet:
    """The one thing about a contact that a change writes: `kind` is attribute, preference or consent."""

    kind: str
    name: str
    value: bool

    def shown(self, contact: Contact) -> bool | None:
        """What the contact shows of it; None: nothing, or no yes or no.

        An attribute that is not set is no label: False.
        """
        if self.kind == "attribute":
            found = contact.attribute(self.name)
            return found if isinstance(found, bool) else (False if found is None else None)
        if self.kind == "preference":
            return contact.preferences.get(preference_key(self.name))
        state = (contact.consents or {}).get(self.name)
        return None if state is None else state.value

    @property
    def key(self) -> str:
        """The name in the one spelling by which two contacts are compared."""
        return preference_key(self.name) if self.kind == "preference" else self.name.lower()

    def is_done(self, contact: Contact) -> bool:
        return self.shown(contact) is self.value
