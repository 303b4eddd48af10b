"""Activations that wait for each other's targets in a ring. Pure."""

from collections.abc import Callable
from typing import TypeVar

Key = TypeVar("Key")


def ring_of(first: Key, waits_for: Callable[[Key], Key | None]) -> list[Key]:
    """Return the ring that `first` is in, beginning with it; empty if it is in none."""
    ring = [first]
    while (following := waits_for(ring[-1])) is not None:
        if following == first:
            return ring
        if following in ring:  # it waits for a ring, and is none of it
            return []
        ring.append(following)
    return []
