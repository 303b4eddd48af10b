"""What the Engage client tells its observer."""

from collections import Counter
from dataclasses import dataclass, field

from voyado_operator.api.common import ObjectKey

CONNECTION = ObjectKey("marketing", "engage")


@dataclass
class Observed:
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    waited: float = 0.0

    def request(self, connection: ObjectKey, operation: str, code: str, seconds: float) -> None:
        assert connection == CONNECTION
        self.codes[operation, code] += 1

    def throttled_for(self, connection: ObjectKey, seconds: float) -> None:
        self.waited += seconds
