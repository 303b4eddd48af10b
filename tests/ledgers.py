"""A ledger that is written to by hand."""

from typing import Any

from deltalake import Field, Schema
from deltalake.schema import PrimitiveType
from voyado_operator.domain.target import OFF_LABEL, ON_LABEL, Side, TargetIdentity
from voyado_operator.ledger import entries
from voyado_operator.ledger.members import Ledger

OWNER = "cluster/marketing/vip"

WITH_IDS_AS_TEXT = Schema(
    [
        Field(one.name, PrimitiveType("string"), nullable=False) if one.name == "contact_id" else one
        for one in entries.SCHEMA.fields
    ]
)
"""A layout that no run takes for a ledger's."""


def side(owner: str = OWNER, on_enter: str = ON_LABEL, contact_type: str | None = None) -> Side:
    """How an activation drives its target."""
    kind, name = ("label", "attribute:vip") if on_enter == ON_LABEL else ("preference", "Email")
    target = TargetIdentity("acme.voyado.com", kind, name, contact_type, on_enter, shown="vip")
    return Side(owner, target, "engage", OFF_LABEL if on_enter == ON_LABEL else "Decline", "run-1")


def opened(url: str, owner: str = OWNER, on_enter: str = ON_LABEL) -> Ledger:
    """The ledger at `url`, created if absent, as that side sees it."""
    ledger = Ledger.open(url, "label vip of acme.voyado.com")
    ledger.take_side(side(owner, on_enter))
    return ledger


def record(ledger: Ledger, *noted: Any, **more: Any) -> None:
    """Note one entry of contacts, and commit it."""
    ledger.note(*noted, **more)
    ledger.commit()
