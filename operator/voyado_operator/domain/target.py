"""What a membership drives, as a name that ledgers and conflicts go by."""

from dataclasses import dataclass
from enum import StrEnum

ANY_TYPE = "default"
"""The contact type of a connection that names none: the tenant's own default, which only the tenant knows."""

ATTRIBUTE = "attribute:"
"""How the route of a label begins that is a contact attribute."""


@dataclass(frozen=True, slots=True)
class TargetIdentity:
    """One target of a tenant.

    `host` and `contact_type` name the contacts; `kind` is label, preference or consent, `name` what it is called there;
    `route` and `on_enter` are what makes another ledger of it.
    """

    host: str
    contact_type: str
    kind: str
    name: str
    route: str
    on_enter: str

    def conflicts_with(self, other: "TargetIdentity") -> bool:
        """Whether two activations of these targets would work against each other, whatever they write.

        The default type may be any type; and two label names may come to the same attribute (route `attribute:<id>`).
        """
        same_contacts = self.contact_type == other.contact_type or ANY_TYPE in (self.contact_type, other.contact_type)
        same_attribute = self.route == other.route and self.route.startswith(ATTRIBUTE)
        same_tenant = (self.host, self.kind) == (other.host, other.kind)
        return same_tenant and same_contacts and (self.name == other.name or same_attribute)

    @property
    def traits(self) -> list[tuple[str, ...]]:
        """What it is found by: two targets that conflict have one of them in common."""
        tenant = self.host, self.kind
        return [(*tenant, self.name), *([(*tenant, self.route)] if self.route.startswith(ATTRIBUTE) else [])]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of {self.host}"


class Mode(StrEnum):
    """How changes are sent."""

    SINGLE = "Single"
    BULK = "Bulk"


@dataclass(frozen=True, slots=True)
class Capability:
    """Something that Voyado's public documents leave open, until a first contact has shown it on a tenant."""

    target: str
    route: str
    mode: Mode
