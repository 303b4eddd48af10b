"""What came in: the rate limit of each API key, and counters for those who want to know."""

from collections import Counter, deque
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

HARD_LIMIT = 200  # requests per second and API key (engage-api.md 2)
WRITES = {
    "PATCH /contacts/{id}",
    "PATCH /contacts/bulk",
    "POST /automation/customTriggers/{trigger}/triggerByContactId/{id}",
    "PUT /contacts/{id}/labels/{label}",
    "POST /contacts/{id}/labels/{label}",
    "DELETE /contacts/{id}/labels/{label}",
}
CREATING = {"POST /contacts", "POST /contacts/bulk"}


@dataclass(slots=True)
class Traffic:
    """`operations` counts by method and path template; `busiest` is the most that came in within any second."""

    limit: int = HARD_LIMIT
    operations: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    busiest: int = 0
    _latest: dict[str, deque[float]] = field(default_factory=dict)

    def admits(self, api_key: str) -> bool:
        """Count a request of the key, and say whether it is within the limit."""
        now, latest = monotonic(), self._latest.setdefault(api_key, deque())
        while latest and latest[0] <= now - 1:
            latest.popleft()
        latest.append(now)
        self.busiest = max(self.busiest, len(latest))
        if len(latest) > self.limit:
            self.rejected += 1
            return False
        return True

    def counted(self) -> dict[str, Any]:
        return {
            "total": self.operations.total(),
            "byOperation": dict(self.operations),
            "creating": sum(self.operations[operation] for operation in CREATING),
            "writes": sum(self.operations[operation] for operation in WRITES),
            "maxPerSecond": self.busiest,
            "rejected429": self.rejected,
        }

    def reset(self) -> None:
        self.operations.clear()
        self.rejected = self.busiest = 0
