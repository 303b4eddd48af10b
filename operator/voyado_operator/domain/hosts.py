"""Lists of hosts as people write them in settings."""

from collections.abc import Iterable
from fnmatch import fnmatchcase


def is_listed(host: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns, such as `*.voyado.com`, is the host's, in whatever case."""
    return any(fnmatchcase(host.lower(), pattern.lower()) for pattern in patterns)
