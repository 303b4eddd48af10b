"""Points in time as tables hold them: microseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime.fromtimestamp(0, UTC)


def microseconds(moment: datetime) -> int:
    """Of an aware moment."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(number: int) -> datetime:
    return _EPOCH + timedelta(microseconds=number)
