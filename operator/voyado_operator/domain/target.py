"""What a membership drives, as a name that ledgers and conflicts go by."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TargetIdentity:
    """One target of a tenant.

    `host` and `contact_type` name the contacts ("default" is the tenant's own default type), `kind` is label,
    preference or consent, `name` what it is called there; `route` and `on_enter` are what makes another ledger of it.
    """

    host: str
    contact_type: str
    kind: str
    name: str
    route: str
    on_enter: str

    @property
    def conflict_key(self) -> tuple[str, str, str, str]:
        """Two activations with this in common would work against each other, whatever they write."""
        return self.host, self.contact_type, self.kind, self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of {self.host}"
