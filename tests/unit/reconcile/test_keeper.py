"""A status that the API server did not take is written, and told of, with the next."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.api.common import Kind
from voyado_operator.reconcile.conditions import stalled
from voyado_operator.reconcile.keeper import StatusKeeper

from tests.unit.reconcile.objects import activation

NOW = datetime(2026, 6, 1, tzinfo=UTC)
METADATA = activation("vip").metadata


class Failing:
    """An API server that takes no status while `is_down`."""

    def __init__(self) -> None:
        self.is_down = True
        self.written: list[dict[str, Any]] = []
        self.events: list[str] = []

    async def apply_status(self, kind: Kind, metadata: object, status: dict[str, Any]) -> None:
        if self.is_down:
            raise TimeoutError
        self.written.append(status)

    async def event(self, kind: Kind, metadata: object, severity: str, reason: str, message: str) -> None:
        self.events.append(reason)


async def test_what_was_not_taken_comes_with_the_next_once() -> None:
    cluster = Failing()
    keeper = StatusKeeper(Kind.ACTIVATION, cast(Any, cluster), SegmentActivationStatus())
    verdict = stalled("InvalidSpec", "write one SELECT statement")
    with pytest.raises(TimeoutError):
        await keeper.write(METADATA, keeper.judged(METADATA, verdict, {}, NOW))
    assert cluster.events == []
    cluster.is_down = False

    for _ in range(2):
        await keeper.write(METADATA, keeper.judged(METADATA, verdict, {}, NOW))

    [status] = cluster.written
    assert status["conditions"][0]["reason"] == "InvalidSpec"
    assert cluster.events == ["InvalidSpec"]


async def test_a_fraction_of_a_second_is_not_worth_a_write() -> None:
    cluster = Failing()
    found = SegmentActivationStatus(next_run_time=NOW)
    keeper = StatusKeeper(Kind.ACTIVATION, cast(Any, cluster), found)

    await keeper.write(METADATA, keeper.judged(METADATA, None, {"next_run_time": NOW.replace(microsecond=5)}, NOW))

    assert cluster.written == []
