"""Points in time as Delta holds them: microseconds, UTC."""

from collections.abc import Sequence
from datetime import datetime

from arro3.core import Array, DataType

from voyado_operator.domain.moments import microseconds


def column(moments: Sequence[datetime | None]) -> Array:
    """The aware `moments` as an Arrow array."""
    numbers = [None if moment is None else microseconds(moment) for moment in moments]
    return Array(numbers, type=DataType.int64()).cast(DataType.timestamp("us", tz="UTC"))


def sql(moment: datetime) -> str:
    """The aware `moment` as a literal of DataFusion's SQL."""
    return f"""arrow_cast({microseconds(moment)}, 'Timestamp(Microsecond, Some("UTC"))')"""
