"""What time it is where Engage is, by the Date of its answers."""

from collections import deque
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from statistics import median
from time import monotonic

ANSWERS = 5  # the latest; one of a proxy whose clock is wrong does not count
HALF_A_SECOND = 0.5  # Date is cut to the second


class EngageClock:
    """Engage's time goes on by this machine's monotonic clock, whatever its wall clock says or is set to."""

    def __init__(self) -> None:
        self._ahead = deque[float](maxlen=ANSWERS)

    def heard(self, date: str | None, asked: float, answered: float) -> None:
        """Take in the Date of an answer; `asked` and `answered` are monotonic."""
        try:
            told = parsedate_to_datetime(date or "")
        except ValueError:
            return
        told = told if told.tzinfo else told.replace(tzinfo=UTC)
        self._ahead.append(told.timestamp() + HALF_A_SECOND - (asked + answered) / 2)

    def time(self) -> datetime | None:
        """None until an answer has told."""
        return datetime.fromtimestamp(median(self._ahead) + monotonic(), UTC) if self._ahead else None
