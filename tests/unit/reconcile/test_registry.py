"""Who wakes when something changes, and who is whose rival."""

import pytest
from voyado_operator.api.common import ObjectKey
from voyado_operator.reconcile.registry import Registry, is_being_probed, is_ready
from voyado_operator.targets.build import identify

from tests.unit.reconcile.objects import activation, connection

VIP, ENGAGE = ObjectKey("marketing", "vip"), ObjectKey("marketing", "engage")


@pytest.fixture
def registry() -> Registry:
    """A ready connection and one activation, both asleep."""
    registry = Registry(identify)
    registry.connection_seen(connection())
    registry.activation_seen(activation())
    rest(registry)
    return registry


def rest(registry: Registry) -> None:
    for watched in (*registry.activations.values(), *registry.connections.values()):
        watched.wake.clear()


def awake(registry: Registry) -> set[str]:
    watched = (*registry.activations.items(), *registry.connections.items())
    return {key.name for key, one in watched if one.wake.is_set()}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (activation(), set()),
        (activation(status={"members": 5}), set()),
        (activation(generation=2), {"vip"}),
        (activation(annotations={"requestedAt": "now"}), {"vip"}),
        (activation(annotations={"approve": "sha256:a"}), {"vip"}),
        (activation(annotations={"somethingElse": "now"}), set()),
        (activation(generation=2, label="gold"), {"vip", "engage"}),
    ],
)
def test_an_activation_wakes_for_what_was_asked_and_not_for_our_own_status(
    registry: Registry, seen: object, expected: set[str]
) -> None:
    registry.activation_seen(seen)  # type: ignore[arg-type]
    assert awake(registry) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (connection(), set()),
        (connection(ready="False", message="401"), {"vip"}),
        (connection(suspend=True), {"vip"}),
        (connection(generation=2), {"vip", "engage"}),
    ],
)
def test_activations_wake_when_their_connection_changes(registry: Registry, seen: object, expected: set[str]) -> None:
    registry.connection_seen(seen)  # type: ignore[arg-type]
    assert awake(registry) == expected


def test_activations_wake_when_a_probe_ends_badly() -> None:
    registry = Registry(identify)
    registry.connection_seen(connection(ready="Unknown"))
    registry.activation_seen(activation())
    rest(registry)

    registry.connection_seen(connection(ready="False", message="401"))

    assert "vip" in awake(registry)


def test_a_connection_wakes_to_count_its_activations(registry: Registry) -> None:
    registry.activation_seen(activation("other", label="gold"))
    assert "engage" in awake(registry)
    assert len(registry.users(ENGAGE)) == 2
    rest(registry)

    registry.activation_gone(activation("other", label="gold"))

    assert "engage" in awake(registry)
    assert len(registry.users(ENGAGE)) == 1


def test_whoever_waits_for_a_target_is_woken_when_its_owner_is_gone(registry: Registry) -> None:
    oldest, younger, elsewhere = activation("a", age=9), activation("b", age=1), activation("c", label="gold")
    for one in (oldest, younger, elsewhere):
        registry.activation_seen(one)

    assert registry.rivals(younger)[0] == oldest
    assert registry.rivals(elsewhere) == []
    rest(registry)
    registry.activation_gone(oldest)
    assert {"b", "vip"} <= awake(registry)
    assert registry.activations[younger.metadata.key].is_freed


def test_an_object_of_the_same_name_is_another_object(registry: Registry) -> None:
    """The deletion of the former one arrives after the creation of the new one."""
    again = activation()
    renamed = again.model_copy(update={"metadata": again.metadata.model_copy(update={"uid": "another"})})
    registry.activation_seen(renamed)

    registry.activation_gone(activation())

    assert registry.activations[VIP].latest == renamed


@pytest.mark.parametrize(
    ("seen", "ready", "probing"),
    [
        (connection(), True, False),
        (connection(ready="False"), False, False),
        (connection(ready="Unknown"), False, True),
        (connection(ready=None), False, True),
        (connection(generation=2), False, True),
        (connection(suspend=True), False, False),
    ],
)
def test_a_connection_counts_only_for_its_present_generation(seen: object, ready: bool, probing: bool) -> None:
    assert is_ready(seen) is ready  # type: ignore[arg-type]
    assert is_being_probed(seen) is probing  # type: ignore[arg-type]
