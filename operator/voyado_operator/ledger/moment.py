"""Points in time as Delta holds them: microseconds, UTC."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from arro3.core import Array, DataType

_EPOCH = datetime.fromtimestamp(0, UTC)


def column(moments: Sequence[datetime]) -> Array:
    """The aware `moments` as an Arrow array."""
    return Array([_microseconds(moment) for moment in moments], type=DataType.int64()).cast(
        DataType.timestamp("us", tz="UTC")
    )


def sql(moment: datetime) -> str:
    """The aware `moment` as a literal of DataFusion's SQL."""
    return f"""arrow_cast({_microseconds(moment)}, 'Timestamp(Microsecond, Some("UTC"))')"""


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
