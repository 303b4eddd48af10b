"""Where the tables live: pure functions from names to URLs."""

import hashlib
import json
import re
from os.path import normpath
from urllib.parse import urlsplit, urlunsplit

from voyado_operator.domain.target import TargetIdentity

IDENTITIES, DEFAULT, SUPPRESSION = "identities", "default", "suppression"
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UNSAFE_RUN = re.compile(r"[^A-Za-z0-9_-]+")


def normalised_root(url: str) -> str:
    """Return the ledgers' root in one spelling: no empty, `.` or `..` part of a path, no slash at its end."""
    parts = urlsplit(url)
    path = normpath(f"/{parts.path.lstrip('/')}")
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")).rstrip("/")


def ledger_url(root: str, identity: TargetIdentity) -> str:
    """The ledger of one target, below `root` in its one spelling.

    The hash is of the canonical name, so that two names with one slug do not share a ledger.
    """
    folder = "/".join([root, _segment(identity.host), _segment(identity.kind)])
    return f"{folder}/{_slug(identity.name.partition(':')[2] or identity.name)}-{_digest(identity.name)}"


def is_of_same_target(one: str, other: str) -> bool:
    """Whether two URLs, maybe below different roots, are of the ledger of one target."""
    return one.rsplit("/", 3)[1:] == other.rsplit("/", 3)[1:]


def kind_of(ledger: str) -> str:
    """The kind of the target whose ledger lies at that URL."""
    return ledger.rsplit("/", 2)[1]


def relocated(url: str, root: str) -> str:
    """Where the ledger of that URL would lie below another root."""
    return "/".join([root, *url.rsplit("/", 3)[1:]])


def identities_url(root: str, tenant_host: str, contact_type: str | None) -> str:
    """The remembered matches of one contact type of a tenant; None: of its default type."""
    return "/".join([root, _segment(tenant_host), IDENTITIES, _segment(contact_type or DEFAULT)])


def suppression_url(root: str) -> str:
    """The hashes of contacts that were forgotten, of all tenants."""
    return f"{root}/{SUPPRESSION}"


def waiting_url(ledger: str) -> str:
    """The waiting plan of the ledger at URL `ledger`."""
    return f"{ledger}.waiting"


def parked_url(ledger: str) -> str:
    """The refused changes of the ledger at URL `ledger`."""
    return f"{ledger}.parked"


def batches_url(ledger: str) -> str:
    """The bulk updates of the ledger at URL `ledger` that Engage may still work on."""
    return f"{ledger}.batches"


def _segment(text: str) -> str:
    """The text itself where it is safe in a path, else a slug that no other text shares."""
    return text if _SAFE.fullmatch(text) else f"{_slug(text)}-{_digest(text)}"


def _slug(text: str) -> str:
    return _UNSAFE_RUN.sub("-", text.lower())[:40].strip("-") or "x"


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
