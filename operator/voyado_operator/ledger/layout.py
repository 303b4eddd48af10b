"""Where the tables live: pure functions from names to URLs."""

import hashlib
import json
import re
from collections.abc import Sequence

IDENTITIES = "identities"
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UNSAFE_RUN = re.compile(r"[^A-Za-z0-9_-]+")


def ledger_url(
    root: str, tenant_host: str, contact_type: str, kind: str, name: str, fingerprint_parts: Sequence[str]
) -> str:
    """The ledger of one target; `fingerprint_parts` are what makes another ledger of it: route and onEnter.

    The hash covers the name too, so that two names with one slug do not share a ledger.
    """
    folder = "/".join([_tenant(root, tenant_host, contact_type), _segment(kind)])
    return f"{folder}/{_slug(name)}-{_digest(name, *fingerprint_parts)}"


def identities_url(root: str, tenant_host: str, contact_type: str) -> str:
    """The remembered matches of one contact type of a tenant."""
    return f"{_tenant(root, tenant_host, contact_type)}/{IDENTITIES}"


def waiting_url(ledger: str) -> str:
    """The waiting plan of the ledger at URL `ledger`."""
    return f"{ledger}.waiting"


def parked_url(ledger: str) -> str:
    """The refused changes of the ledger at URL `ledger`."""
    return f"{ledger}.parked"


def batches_url(ledger: str) -> str:
    """The bulk updates of the ledger at URL `ledger` that Engage may still work on."""
    return f"{ledger}.batches"


def _tenant(root: str, tenant_host: str, contact_type: str) -> str:
    return "/".join([root.rstrip("/"), _segment(tenant_host.lower()), _segment(contact_type)])


def _segment(text: str) -> str:
    """The text itself where it is safe in a path, else a slug that no other text shares."""
    return text if _SAFE.fullmatch(text) else f"{_slug(text)}-{_digest(text)}"


def _slug(text: str) -> str:
    return _UNSAFE_RUN.sub("-", text.lower())[:40].strip("-") or "x"


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
