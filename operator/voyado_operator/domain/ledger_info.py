"""What a ledger says of itself: which one it is, of which target, and whose."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from voyado_operator.domain.target import overlap


@dataclass(frozen=True, slots=True)
class Succession:
    """The owners whose place another takes, and the request of a person for which it does so, if they still exist."""

    owners: tuple[str, ...] = ()
    takeover: str | None = None


NOBODY = Succession()


@dataclass(frozen=True, slots=True)
class LedgerInfo:
    """What a ledger says of itself, in its table's description.

    `target` is what people call the target. `owners` has, for each owner, the definition of the target as that one
    drives it. `writers` are the names under which rows
    were ever written. `epoch` counts how often the ledger was found lost; rows of earlier epochs are evidence of noes.
    `lost_at` is when it was last found so, `lost_members` how many it had by the status, and `is_baselining` whether
    they are still to be found anew.
    `elsewhere` refers to the ledgers that owners of this one left for it, as a status would.
    `decisions` is what a run has seen of when people decided, without naming anybody. `takeovers` are the latest
    requests of a person to hand it over that were carried out.
    """

    id: str = field(default_factory=lambda: uuid4().hex)
    target: str = ""
    owners: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    writers: tuple[str, ...] = ()
    epoch: int = 1
    lost_at: datetime | None = None
    lost_members: int = 0
    is_baselining: bool = False
    elsewhere: tuple[Mapping[str, Any], ...] = ()
    decisions: Mapping[str, Any] | None = None
    takeovers: tuple[str, ...] = ()

    @classmethod
    def read(cls, description: str) -> "LedgerInfo":
        """Raises ValueError or KeyError for a description that is none of ours."""
        said = dict(json.loads(description))
        lost_at = said.pop("lost_at")
        return cls(
            **said
            | {
                "writers": tuple(said["writers"]),
                "elsewhere": tuple(said["elsewhere"]),
                "takeovers": tuple(said["takeovers"]),
            },
            lost_at=datetime.fromisoformat(lost_at) if lost_at else None,
        )

    def written(self) -> str:
        """As the table's description."""
        said = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(said | {"lost_at": self.lost_at.isoformat() if self.lost_at else None}, sort_keys=True)

    def rivals(self, owner: str, contact_type: str | None) -> list[str]:
        """Return the other owners whose contacts may be of this contact type (None: the tenant's default)."""
        return [
            other
            for other, theirs in self.owners.items()
            if other != owner and overlap(theirs["contact_type"], contact_type)
        ]

    def writer(self, owner: str, on_enter: str) -> str:
        """The name under which an owner's rows of this direction are written."""
        return f"{owner} {on_enter}" + (f" #{self.epoch}" if self.epoch > 1 else "")
