"""What a membership drives: the one name that ledgers, owners and conflicts go by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ON_LABEL = "Add"
OFF_LABEL = "Remove"
"""In the place of onEnter and onExit: entering the audience sets a label, leaving it removes the label."""


class Route(StrEnum):
    """How a tenant represents a label."""

    ATTRIBUTE = "attribute"
    TRIGGER = "customTrigger"
    ENDPOINT = "endpoint"
    NONE = "none"
    """The tenant says nothing of labels."""


@dataclass(frozen=True, slots=True)
class TargetIdentity:
    """One target of a tenant. Two that are equal are one target, however each was spelled.

    `host` and `name` are in one canonical form; `kind` is label, preference or consent. The rest says how one
    activation drives the target, and is no part of what it is: `contact_type` (None: the tenant's default), `on_enter`
    (Accept, Decline or ON_LABEL), the label's `route` with its `parts`, and `shown`, the name that people know.
    """

    host: str
    kind: str
    name: str
    contact_type: str | None = field(default=None, compare=False)
    on_enter: str = field(default=ON_LABEL, compare=False)
    route: Route = field(default=Route.NONE, compare=False)
    parts: Mapping[str, object] = field(default_factory=dict, compare=False)
    shown: str = field(default="", compare=False)

    def conflicts_with(self, other: "TargetIdentity") -> bool:
        """Whether two activations of these targets would work against each other.

        The contacts of two named types are disjoint. The tenant's default may be any type.
        """
        return self == other and overlap(self.contact_type, other.contact_type)

    @property
    def attribute(self) -> str | None:
        """The contact attribute that a label is, in the one spelling by which attributes are compared."""
        found = self.parts.get("attribute")
        return found.lower() if isinstance(found, str) else None

    def definition(self, connection: str) -> dict[str, Any]:
        """What a ledger keeps of it: enough to take members off it when the manifest is gone."""
        said = {name: getattr(self, name) for name in self.__slots__}
        return said | {"connection": connection, "parts": dict(self.parts)}

    @classmethod
    def defined(cls, definition: Mapping[str, Any]) -> "TargetIdentity":
        """The target of such a definition."""
        said = {name: definition[name] for name in cls.__slots__}
        return cls(**said | {"route": Route(said["route"])})

    def __str__(self) -> str:
        return f"{self.kind} {self.shown or self.name} of {self.host}"


def overlap(one: str | None, other: str | None) -> bool:
    """Whether two contact types may have a contact in common; None is the tenant's default, which may be any."""
    return one is None or other is None or one == other


@dataclass(frozen=True, slots=True)
class Side:
    """As whom an activation drives a target, and what entering and leaving the audience write.

    `owner` is cluster UID/namespace/name, so it stays the same when the object is created again. `connection` is the
    name of the VoyadoConnection. `on_exit` is Decline, Keep or OFF_LABEL. `run` names the run that writes.
    """

    owner: str
    target: TargetIdentity
    connection: str
    on_exit: str
    run: str

    @property
    def on_enter(self) -> str:
        return self.target.on_enter


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
