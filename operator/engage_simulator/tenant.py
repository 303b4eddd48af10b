"""What a tenant holds, and the rules it has for changing it. Pure state: no HTTP in here."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

QUIRKS = {
    "consentsReplaced",  # the consents of an update take the place of all
    "siblingPreferenceReset",  # preferences that an update does not name become false
    "unknownAttributeIgnored",  # and the answer is 200
    "textCoerced",  # a boolean for an attribute of text becomes "true"
    "bulkIgnoresContactId",  # rows keyed by contactId change nothing, and count as done
    "bulkCreates",  # rows keyed by contactId become new contacts
}
PREFERENCES = ("acceptsEmail", "acceptsSms", "acceptsPostal")
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
TYPES: dict[str, type] = {"boolean": bool, "string": str}
Answer = dict[str, Any]


class Refused(Exception):  # noqa: N818 - an answer of the API, not a failure of the simulator
    """An answer with an error code, in the shape of `engage-api.md` section 9."""

    def __init__(self, status: int, code: str, message: str, problems: Iterable[str] = (), **details: object) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.body: Answer = {
            "errorCode": code,
            "message": message,
            "messageDetails": details,
            "validationErrors": [{"errorDescription": problem} for problem in problems],
            "requestId": str(uuid4()),
        }


def written(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


@dataclass(slots=True)
class Contact:
    """A person, as the tenant knows it."""

    id: str
    type: str
    attributes: dict[str, Any] = field(default_factory=dict)
    preferences: dict[str, bool] = field(default_factory=dict)
    consents: dict[str, dict[str, Any]] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    created: str | None = None
    modified: str = ""

    def shown(self) -> Answer:
        return {
            "id": self.id,
            "attributes": self.attributes,
            "meta": {
                "contactType": self.type,
                "createdOn": self.created,
                "modifiedOn": self.modified,
                "approved": True,
            },
            "preferences": {name: self.preferences.get(name, False) for name in PREFERENCES},
            "consents": list(self.consents.values()),
        }


@dataclass(slots=True)
class Tenant:
    """Contacts by id and by address, and what the tenant has defined.

    `attributes` are ids with their type (boolean or string); an attribute that is not defined is refused. `quirks` is
    how the real API may differ, for what engage-api.md does not prove: see QUIRKS. `label_operation`: this tenant
    has the label operation that nobody has proven. `fired` is every custom trigger, in order. `ahead` is by how much
    the tenant's clock is ahead of this machine's.
    """

    default_type: str = "Member"
    attributes: dict[str, str] = field(default_factory=lambda: {"email": "string", "firstName": "string"})
    consents: dict[str, str] = field(default_factory=lambda: {"memberTerms": "Member terms"})
    quirks: set[str] = field(default_factory=set)
    label_operation: bool = False
    fired: list[Answer] = field(default_factory=list)
    contacts: dict[str, Contact] = field(default_factory=dict)
    by_address: dict[str, list[str]] = field(default_factory=dict)
    ahead: timedelta = timedelta()

    def time(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def now(self) -> str:
        return written(self.time())

    def add(self, seeds: Iterable[Answer]) -> None:
        """Put contacts in, as a person in the user interface would."""
        for seed in seeds:
            contact = Contact(seed["id"].lower(), seed.get("contactType", self.default_type))
            contact.created = seed.get("createdOn", self.now())
            contact.modified = seed.get("modifiedOn") or self.now()
            contact.attributes = dict(seed.get("attributes", {}))
            contact.preferences = dict(seed.get("preferences", {}))
            contact.consents = {
                name: {"id": name, "date": self.now(), **(said if isinstance(said, dict) else {"value": said})}
                for name, said in seed.get("consents", {}).items()
            }
            self.contacts[contact.id] = contact
            if address := seed.get("email"):
                contact.attributes["email"] = address
                self.by_address.setdefault(address.lower(), []).append(contact.id)

    def decided(self, contact_id: str, changes: Answer) -> None:
        """What the person does in person."""
        contact = self.contact(contact_id)
        contact.attributes.update(changes.get("attributes", {}))
        contact.preferences.update(changes.get("preferences", {}))
        for name, value in changes.get("consents", {}).items():
            said = value if isinstance(value, dict) else {"value": value}
            contact.consents[name] = {"id": name, "date": self.now(), **said}
        if address := changes.get("email"):
            self._leave_address(contact)
            contact.attributes["email"] = address
            self.by_address.setdefault(address.lower(), []).append(contact.id)
        contact.modified = self.now()

    def remove(self, contact_id: str) -> None:
        contact = self.contacts.pop(contact_id.lower())
        self._leave_address(contact)

    def contact(self, contact_id: str) -> Contact:
        try:
            canonical = str(UUID(contact_id))
        except ValueError:
            raise Refused(400, "InvalidContactId", "The contact id is not a GUID") from None
        if canonical not in self.contacts:
            raise Refused(404, "ContactNotFound", "There is no such contact")
        return self.contacts[canonical]

    def _leave_address(self, contact: Contact) -> None:
        holders = self.by_address.get(contact.attributes.get("email", "").lower(), [])
        if contact.id in holders:
            holders.remove(contact.id)

    def id_of(self, address: str, contact_type: str | None) -> str:
        """The look-up by e-mail."""
        if not ADDRESS.fullmatch(address):
            raise Refused(400, "InvalidEmailAddress", "The e-mail address is not valid")
        found = [
            contact_id
            for contact_id in self.by_address.get(address.lower(), [])
            if contact_type in (None, self.contacts[contact_id].type)
        ]
        if not found:
            raise Refused(404, "ContactNotFound", "There is no such contact")
        if len(found) > 1:
            raise Refused(409, "MultipleMatches", "Several contacts match", multipleMatchesFound=found)
        return found[0]

    def count(self, contact_type: str | None) -> int:
        return sum(1 for contact in self.contacts.values() if contact_type in (None, contact.type))

    def fire(self, trigger: str, contact: Contact, payload: Answer) -> None:
        """A custom trigger, and the automation that a tenant sets up for it: it splits on the payload's values."""
        self.fired.append({"triggerId": trigger, "contactId": contact.id, "payload": payload})
        self.label(contact, str(payload.get("label")), str(payload.get("action")))

    def label(self, contact: Contact, name: str, action: str) -> None:
        if action == "add":
            contact.labels.add(name)
        if action == "remove":
            contact.labels.discard(name)

    def update(self, contact: Contact, changes: Answer) -> None:
        """Change what is named and nothing else; refuse the whole of it when any part is wrong."""
        attributes = {name: value for name, value in changes.items() if name not in ("preferences", "consents")}
        preferences, consents = changes.get("preferences", {}), changes.get("consents", [])
        problems = [
            *self._wrong_attributes(attributes),
            *_wrong_preferences(preferences),
            *self._wrong_consents(consents),
        ]
        if problems:
            raise Refused(422, "ValidationError", "The contact is not valid", problems)
        if "unknownAttributeIgnored" in self.quirks:
            attributes = {name: value for name, value in attributes.items() if name in self.attributes}
        if "textCoerced" in self.quirks:
            attributes = {
                name: str(value).lower() if self.attributes[name] == "string" and value is not None else value
                for name, value in attributes.items()
            }
        contact.attributes.update(attributes)
        if "siblingPreferenceReset" in self.quirks and preferences:
            contact.preferences = {}
        contact.preferences.update(preferences)
        # Whether the real array merges or replaces is unknown (engage-api.md 5); a PATCH that merges is assumed.
        if "consentsReplaced" in self.quirks and consents:
            contact.consents = {}
        contact.consents.update({consent["id"]: {"date": self.now(), **consent} for consent in consents})
        contact.modified = self.now()

    def _wrong_attributes(self, attributes: Answer) -> Iterable[str]:
        for name, value in attributes.items():
            kind = self.attributes.get(name)
            if kind is None:
                if "unknownAttributeIgnored" not in self.quirks:
                    yield f"There is no attribute {name}"
            elif "textCoerced" in self.quirks:
                continue
            elif value is not None and not isinstance(value, TYPES[kind]):
                yield f"The attribute {name} is a {kind}"

    def _wrong_consents(self, consents: Any) -> Iterable[str]:
        if not isinstance(consents, list):
            yield "consents must be an array"
            return
        for consent in consents:
            if consent.get("id") not in self.consents:
                yield f"There is no consent {consent.get('id')}"
            if not isinstance(consent.get("value"), bool):
                yield "A consent's value is true or false"


def _wrong_preferences(preferences: Any) -> Iterable[str]:
    if not isinstance(preferences, dict):
        yield "preferences must be an object"
        return
    for name, value in preferences.items():
        if name not in PREFERENCES:
            yield f"There is no preference {name}"
        elif not isinstance(value, bool):
            yield f"The preference {name} is true or false"
