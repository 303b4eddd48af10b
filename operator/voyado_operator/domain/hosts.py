"""Names of hosts: one spelling of each, and lists of them as people write them in settings."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

_OWN_PORT = {"https": 443, "http": 80}


def is_listed(host: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns, such as `*.voyado.com`, is the host's, in whatever case."""
    return any(fnmatchcase(host.lower(), pattern.lower()) for pattern in patterns)


def canonical_host(url: str) -> str:
    """Return the host of `url` in one spelling, with a port where that is not the scheme's own. Never fails.

    Case, a trailing dot, Unicode or punycode, and the zeros before a port make no other host.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:  # out of range: no host that could be reached
        return parts.netloc.lower()
    host = _in_ascii((parts.hostname or "").rstrip("."))
    return host if port in (None, _OWN_PORT.get(parts.scheme)) else f"{host}:{port}"


def _in_ascii(host: str) -> str:
    try:
        return host.encode("idna").decode()
    except UnicodeError:  # a label that is empty or too long
        return host
