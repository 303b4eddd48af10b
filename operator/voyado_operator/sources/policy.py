"""Which hosts and files an audience may name: a manifest must not open up the operator's own surroundings."""

import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.domain.hosts import is_listed


def resolved(host: str) -> Iterable[str]:
    """The addresses of a host; none when it has none."""
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return ()


@dataclass(frozen=True, slots=True)
class SourcePolicy:
    """`hosts` and `file_roots` are the settings SOURCE_HOSTS and FILE_ROOTS."""

    hosts: Sequence[str]
    file_roots: Sequence[str]
    resolve: Callable[[str], Iterable[str]] = resolved

    def check_host(self, host: str) -> None:
        """Raise InvalidSpec unless the host is listed; where none are, unless it is this machine or its link."""
        if is_listed(host, self.hosts):
            return
        if self.hosts:
            raise InvalidSpec(
                f"spec.audience.sql: the operator may not read from {host}; add it to VOYADO_OPERATOR_SOURCE_HOSTS"
            )
        addresses = [_unmapped(address) for address in self.resolve(host)]
        if any(address.is_loopback or address.is_link_local or address.is_unspecified for address in addresses):
            raise InvalidSpec(
                f"spec.audience.sql: {host} is a loopback or link-local address; if that is meant, list it in "
                "VOYADO_OPERATOR_SOURCE_HOSTS"
            )

    def checked_file(self, path: str) -> Path:
        """The file with symlinks resolved; raises InvalidSpec when it lies outside of the allowed folders."""
        real = Path(path).resolve()
        if not any(real.is_relative_to(Path(root).resolve()) for root in self.file_roots):
            allowed = ", ".join(self.file_roots) or "none"
            raise InvalidSpec(
                "spec.audience.sql.uriSecretRef: the file of the URI lies in no folder that VOYADO_OPERATOR_FILE_ROOTS "
                f"allows ({allowed})"
            )
        if not real.is_file():
            raise InvalidSpec("spec.audience.sql.uriSecretRef: the file of the URI does not exist")
        return real


def _unmapped(address: str) -> IPv4Address | IPv6Address:
    """The address without its zone; an IPv4 address that is written as IPv6 is what it stands for."""
    found = ip_address(address.partition("%")[0])
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
