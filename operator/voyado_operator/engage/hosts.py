"""Which hosts a VoyadoConnection may name: whoever writes manifests must not send an API key anywhere else."""

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.domain.hosts import is_listed


def check_url(url: str, allowed: Sequence[str]) -> None:
    """Raise InvalidSpec unless the host is allowed, and the scheme is https, or http to a loopback host."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if not is_listed(host, allowed):
        raise InvalidSpec(
            f"spec.url: the operator may not talk to {host}; VOYADO_OPERATOR_ENGAGE_HOSTS allows {', '.join(allowed)}"
        )
    if parts.scheme != "https" and not is_loopback(host):
        raise InvalidSpec(f"spec.url: must begin with https://, since the API key goes to {host}")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
