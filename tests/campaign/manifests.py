"""What people write: short descriptions of connections and activations, as manifests and as the wishes they mean."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tests.campaign.log import Wish

GOVERNANCE = {"owner": "crm", "purpose": "newsletter", "legalBasis": "Consent", "sourceOfTruth": "Acknowledged"}
CALL = "/api/v3/contacts/{contactId}/labels/{label}"
ROUTES: dict[str, dict[str, Any] | None] = {
    "label": {"attribute": {"idTemplate": "label_{label}"}},
    "tag": {"attribute": {"idTemplate": "tag_{label}"}},
    "typo": {"attribute": {"idTemplate": "labl_{label}"}},
    "trigger": {"customTrigger": {"triggerId": "sync"}},
    "trigger2": {"customTrigger": {"triggerId": "sync2"}},
    "endpoint": {"endpoint": {"add": {"method": "PUT", "path": CALL}, "remove": {"method": "DELETE", "path": CALL}}},
    "none": None,
}
CHOICES = {
    "accept-email": ("preference", "Email", "Accept"),
    "decline-email": ("preference", "Email", "Decline"),
    "accept-terms": ("consent", "memberTerms", "Accept"),
    "decline-terms": ("consent", "memberTerms", "Decline"),
}
TARGETS = ("vip", "gold", *CHOICES)
TABLES = 2
Table = dict[str, datetime | None]


@dataclass(frozen=True, slots=True)
class Connection:
    """A VoyadoConnection in a person's words."""

    tenant: int = 0
    slash: bool = False
    route: str = "label"
    type: str | None = None
    suspend: bool = False
    bulk: str = "Auto"
    key: str = "good"

    def spec(self, urls: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {
            "url": urls[self.tenant] + "/" * self.slash,
            "apiKeySecretRef": {"name": self.key},
            "requestsPerSecond": 200,
            "bulk": {"mode": self.bulk},
            "suspend": self.suspend,
        }
        if (labels := ROUTES[self.route]) is not None:
            found["labels"] = labels
        return found | ({"contactType": self.type} if self.type else {})

    def repaired(self) -> "Connection":
        """Without what only a person can mend."""
        route = "label" if self.route in ("typo", "none") else self.route
        return replace(self, route=route, suspend=False, key="good")


@dataclass(frozen=True, slots=True)
class Activation:
    """A SegmentActivation in a person's words; `table` is its audience."""

    connection: str = "engage"
    table: int = 0
    target: str = "vip"
    keeps: bool = False
    policy: str = "Retain"
    mode: str = "Enforce"
    suspend: bool = False
    most: int = 100
    by: str = "contact_id"

    def spec(self) -> dict[str, Any]:
        audience: dict[str, Any] = {
            "sql": {"uriSecretRef": {"name": "warehouse"}, "query": f"select * from t{self.table}"},
            "identifiers": {"contactId": "contact_id"} if self.by == "contact_id" else {"email": "email"},
            "decidedAt": "decided_at",
        }
        return {
            "connectionRef": {"name": self.connection},
            "audience": audience,
            "target": self._target(),
            "governance": GOVERNANCE if self.target in CHOICES else None,
            "schedule": {"every": "1h"},
            "mode": self.mode,
            "suspend": self.suspend,
            "guards": {"allowEmpty": True, "maxAdditions": 1000, "maxRemovals": self.most},
            "deletionPolicy": self.withdraws(),
        }

    def withdraws(self) -> str:
        """Withdraw is refused with Decline."""
        return "Retain" if self.target.startswith("decline") else self.policy

    def _target(self) -> dict[str, Any]:
        if self.target not in CHOICES:
            return {"label": {"name": self.target}}
        kind, name, enters = CHOICES[self.target]
        choice = {"onEnter": enters, "onExit": "Keep" if self.keeps else "Decline"}
        return {kind: choice | {"channel" if kind == "preference" else "id": name}}

    def repaired(self) -> "Activation":
        return replace(self, mode="Enforce", suspend=False)


def wish(activation: Activation, connection: Connection | None, people: Table) -> Wish:
    """What the three say together, as a person would read them."""
    is_held = activation.suspend or activation.mode == "Plan" or connection is None
    is_held = is_held or connection.suspend or connection.key != "good" if connection else True
    target = _target_of(activation, connection) if connection else None
    kind = CHOICES.get(activation.target)
    enters = {"Accept": "yes", "Decline": "no"}[kind[2]] if kind else "on"
    leaves = "off" if kind is None else ("nothing" if activation.keeps or enters == "no" else "no")
    return Wish(target, enters, leaves, activation.withdraws(), is_held, activation.most, dict(people))


def _target_of(activation: Activation, connection: Connection) -> str | None:
    tenant = f"T{connection.tenant}"
    if activation.target in CHOICES:
        kind, name, _ = CHOICES[activation.target]
        return f"{tenant}/{kind}:{'acceptsEmail' if kind == 'preference' else name}"
    labels = ROUTES[connection.route]
    if labels is None:
        return None
    if "attribute" in labels:
        return f"{tenant}/attribute:{labels['attribute']['idTemplate'].replace('{label}', activation.target)}"
    if "customTrigger" in labels:
        return f"{tenant}/trigger:{labels['customTrigger']['triggerId']}:{activation.target}"
    return f"{tenant}/endpoint:{activation.target}"
