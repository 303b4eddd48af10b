"""What an e-mail address was matched to, and how long that is believed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

JITTER = 0.2  # so that an audience looked up in one hour is not looked up again in one hour


class MatchStatus(StrEnum):
    """Engage's answer for an e-mail address: one contact, none (404), not an address (400), several (409)."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    INVALID = "invalid"
    AMBIGUOUS = "ambiguous"


BELIEVED = {
    MatchStatus.MATCHED: timedelta(days=7),
    MatchStatus.UNMATCHED: timedelta(days=1),
    MatchStatus.INVALID: timedelta(days=1),
    MatchStatus.AMBIGUOUS: timedelta(days=1),
}
"""DESIGN 4: found 7 days, not found 1 day. What a person may repair in Engage is asked again after a day."""


@dataclass(frozen=True, slots=True)
class Match:
    """The contacts of one address, under its keyed hash: one when matched, several when ambiguous, else none."""

    address_hash: str
    status: MatchStatus
    contact_ids: tuple[str, ...] = ()


def believed_until(status: MatchStatus, now: datetime, dice: float) -> datetime:
    """When an answer of `now` is asked again; `dice` in [0, 1] takes off up to a fifth."""
    return now + BELIEVED[status] * (1 - JITTER * dice)
