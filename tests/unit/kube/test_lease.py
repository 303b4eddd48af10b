"""For how long a Lease lets an operator send, against an API server that refuses nothing."""

import time
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from voyado_operator.kube.lease import DURATION, SENDING, Lease

CLOCKS = ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC")


class OneLease:
    """As much of a CoordinationV1Api as a Lease asks for: what was written last."""

    def __init__(self) -> None:
        self.spec: dict[str, Any] = {}

    async def read_namespaced_lease(self, *_: object, **__: object) -> Any:
        spec = SimpleNamespace(holder_identity=self.spec.get("holderIdentity"), renew_time=self.spec.get("renewTime"))
        return SimpleNamespace(metadata=SimpleNamespace(resource_version="1"), spec=spec)

    async def replace_namespaced_lease(self, _: str, __: str, body: dict[str, Any], **___: object) -> Any:
        self.spec = body["spec"]
        return await self.read_namespaced_lease()


@pytest.fixture
async def lease() -> AsyncIterator[Lease]:
    held = Lease(OneLease(), "voyado", "lease", lambda: None)
    await held.acquire()
    yield held
    await held.release()


Pass = Callable[..., None]


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Pass:
    """Let the named clocks of the system go ahead by so many seconds."""
    read = time.clock_gettime

    def passed(seconds: float, *names: str) -> None:
        ahead = {getattr(time, name) for name in names}
        monkeypatch.setattr(time, "clock_gettime", lambda clock: read(clock) + seconds * (clock in ahead))

    return passed


@pytest.mark.parametrize(
    ("seconds", "clocks", "may_send"),
    [
        (SENDING - 5, CLOCKS, True),
        (SENDING + 1, CLOCKS, False),
        (SENDING - 5, CLOCKS[:1], True),
        (SENDING + 1, CLOCKS[:1], False),  # suspended: the monotonic clock stood still
        (DURATION + 1, CLOCKS[:1], False),
    ],
)
async def test_nothing_is_sent_too_long_after_a_renewal(
    lease: Lease, passing: Pass, seconds: float, clocks: tuple[str, ...], may_send: bool
) -> None:
    passing(seconds, *clocks)

    assert lease.may_send is may_send


@pytest.fixture
def counts_no_suspension(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that has no such clock."""
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")


@pytest.mark.usefixtures("counts_no_suspension")
async def test_without_a_clock_that_counts_suspension(passing: Pass, lease: Lease) -> None:
    passing(SENDING + 1, "CLOCK_MONOTONIC")

    assert not lease.may_send
