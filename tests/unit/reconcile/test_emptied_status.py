"""A status that somebody empties is there again at once; and what we write ourselves is not written twice for it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.common import APPROVE, Kind, Metadata
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.ledger.layout import is_of_same_target, ledger_url
from voyado_operator.reconcile.activation import ActivationLife
from voyado_operator.reconcile.connection import ConnectionLife
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.slots import Slots
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.targets.build import identify
from voyado_operator.telemetry.metrics import Metrics

from tests.unit.reconcile.objects import NOW, activation, connection, done

Resource = SegmentActivation | VoyadoConnection
LATER = NOW + timedelta(hours=1)


class ApiServer:
    """As much of one as a single object that waits needs; the watch shows a version only when it is asked to."""

    def __init__(self, found: Resource, show: Callable[[Any], None]) -> None:
        self._found, self._show = found, show
        self.status = found.status.manifest()
        self.version = 1
        self.writes = 0
        self.events: list[str] = []
        self.is_down = False

    async def apply_status(self, kind: Kind, metadata: Metadata, status: dict[str, Any]) -> None:
        if self.is_down:
            raise TimeoutError
        self.writes += 1
        self.version += status != self.status
        self.status = status

    async def event(self, kind: Kind, metadata: Metadata, severity: str, reason: str, message: str) -> None:
        self.events.append(reason)

    async def secret(self, *_: object) -> str:
        raise AssertionError("nothing is to be read")

    def replace(self, status: dict[str, Any]) -> None:
        """Somebody else's write."""
        self.status = status
        self.version += 1
        self.show()

    def annotate(self, **annotations: str) -> None:
        self._found = self._found.model_copy(
            update={"metadata": self._found.metadata.model_copy(update={"annotations": annotations})}
        )
        self.version += 1
        self.show()

    def show(self) -> None:
        """The watch brings the present version."""
        metadata = self._found.metadata.model_copy(update={"resource_version": str(self.version)})
        status = type(self._found.status).model_validate(self.status)
        self._show(self._found.model_copy(update={"metadata": metadata, "status": status}))


class Targets:
    """As much of the adapters as who waits needs."""

    identify = staticmethod(identify)
    ledger_url = staticmethod(partial(ledger_url, "file:///ledger"))
    is_of_same_target = staticmethod(is_of_same_target)


class Waiting:
    """One object that waits, with its daemon."""

    def __init__(self, found: Resource, *others: Resource) -> None:
        self.registry = Registry(identify)
        for one in (*others, found):
            self._seen(one)
        self.api = ApiServer(found, self._seen)
        around = Surroundings(cast(Any, Targets), cast(Any, self.api), Slots(1), "uid", lambda: NOW)
        metrics = Metrics(CollectorRegistry())
        self.step: Callable[[], Awaitable[float | None]]
        if isinstance(found, SegmentActivation):
            activated = self.registry.activations[found.metadata.key]
            self.wake = activated.wake
            self.step = ActivationLife(activated, around, self.registry, metrics, lambda: False).step
        else:
            connected = self.registry.connections[found.metadata.key]
            self.wake = connected.wake
            self.step = ConnectionLife(connected, around, self.registry, metrics).step

    def _seen(self, one: Resource) -> None:
        if isinstance(one, SegmentActivation):
            self.registry.activation_seen(one)
        else:
            self.registry.connection_seen(one)

    async def woken(self) -> None:
        """The daemon's steps, for as long as something wakes it."""
        while self.wake.is_set():
            self.wake.clear()
            await self.step()


OBJECTS: dict[str, tuple[Resource, ...]] = {
    "a suspended activation": (activation(suspend=True), connection()),
    "an activation of a suspended connection": (activation(), connection(suspend=True)),
    "an activation without its connection": (activation(),),
    "an activation of a connection that is not Ready": (activation(), connection(ready="False", message="401")),
    "an activation whose target is taken": (activation(), activation("older", age=9), connection()),
    "an activation that runs later": (
        activation(status=done(nextRunTime=LATER), schedule={"every": "1h"}),
        connection(),
    ),
    "a suspended connection": (connection(suspend=True),),
}
EMPTIED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "all": lambda _: {},
    "the conditions": lambda status: {name: value for name, value in status.items() if name != "conditions"},
    "Ready": lambda status: status | {"conditions": [one for one in status["conditions"] if one["type"] != "Ready"]},
}


@pytest.fixture
async def waiting(request: pytest.FixtureRequest) -> Waiting:
    """At rest: all that was written has come back by the watch."""
    found = Waiting(*OBJECTS[request.param])
    found.wake.set()
    await found.woken()
    found.api.show()
    await found.woken()
    return found


every_object = pytest.mark.parametrize("waiting", OBJECTS, indirect=True)


@every_object
@pytest.mark.parametrize("emptied", EMPTIED.values(), ids=EMPTIED)
async def test_it_is_there_again_at_once(waiting: Waiting, emptied: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    api, before = waiting.api, waiting.api.status
    events, writes = list(api.events), api.writes
    for _ in range(3):  # somebody may do it again and again, also before the watch has shown what we wrote
        api.replace(emptied(before))
        await waiting.woken()

        assert api.status == before

    api.show()
    await waiting.woken()
    assert api.writes == writes + 3
    assert api.events == events


@every_object
async def test_what_the_api_server_did_not_take_is_tried_again(waiting: Waiting) -> None:
    before = waiting.api.status
    waiting.api.is_down = True
    waiting.api.replace({})
    with pytest.raises(TimeoutError):
        await waiting.woken()
    waiting.api.is_down = False

    await waiting.step()

    assert waiting.api.status == before


@every_object
async def test_our_own_writes_are_not_written_twice(waiting: Waiting) -> None:
    at_rest = waiting.api.writes

    for number in range(3):
        waiting.api.annotate(**{APPROVE if number == 1 else "somebody/else": str(number)})
        await waiting.woken()
        await waiting.step()

    assert waiting.api.writes == at_rest <= 1


@pytest.mark.parametrize("objects", OBJECTS.values(), ids=OBJECTS)
async def test_a_new_object_is_written_once_though_the_watch_is_late(objects: tuple[Resource, ...]) -> None:
    new = Waiting(*objects)
    await new.step()

    for number in range(3):  # versions from before our write, of which each is without a status
        status, new.api.status = new.api.status, objects[0].status.manifest()
        new.api.annotate(**{"a/finalizer": str(number)})
        new.api.status = status
        await new.woken()

    assert new.api.writes <= 1
