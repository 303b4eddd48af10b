"""Whoever drives a target is found, in whatever order the watch shows things."""

from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.reconcile.registry import Registry
from voyado_operator.targets.build import identify

from tests.unit.reconcile.objects import activation, connection

NAMES, AGES = ("a", "b", "c", "d"), {"a": 4, "b": 3, "c": 2, "d": 1}
activations = st.builds(
    lambda name, label, uses: activation(name, age=AGES[name], label=label, connectionRef={"name": uses}),
    st.sampled_from(NAMES),
    st.sampled_from(["vip", "gold"]),
    st.sampled_from(["engage", "another"]),
)
connections = st.builds(
    lambda name, template, contact_type: named(
        name, connection(labels={"attribute": {"idTemplate": template}}, contactType=contact_type)
    ),
    st.sampled_from(["engage", "another"]),
    st.sampled_from(["label_{label}", "label_vip_{label}", "x_{label}"]),
    st.sampled_from([None, "Member", "Contact"]),
)
events = st.lists(st.tuples(st.booleans(), st.one_of(activations, connections)), max_size=20)


def named(name: str, one: VoyadoConnection) -> VoyadoConnection:
    described = {"name": name, "uid": f"uid-of-{name}"}
    return one.model_copy(update={"metadata": one.metadata.model_copy(update=described)})


@given(events=events)
def test_the_rivals_are_those_that_drive_the_same_target_the_oldest_first(
    events: list[tuple[bool, SegmentActivation | VoyadoConnection]],
) -> None:
    registry = Registry(identify)
    for is_seen, one in events:
        if isinstance(one, SegmentActivation):
            (registry.activation_seen if is_seen else registry.activation_gone)(one)
        else:
            (registry.connection_seen if is_seen else registry.connection_gone)(one)

    everybody = [watched.latest for watched in registry.activations.values()]
    targets = {
        one.metadata.name: identify(one, used) for one in everybody if (used := registry.connection_of(one)) is not None
    }
    for one in everybody:
        mine = targets.get(one.metadata.name)
        rivals = [
            other
            for other in everybody
            if mine is not None
            and other != one
            and (theirs := targets.get(other.metadata.name)) is not None
            and mine.conflicts_with(theirs)
        ]
        assert registry.rivals(one) == sorted(rivals, key=lambda other: -AGES[other.metadata.name])
    for known in registry.connections:
        users = {one.metadata.name for one in registry.users(known)}
        assert users == {one.metadata.name for one in everybody if one.spec.connection_ref.name == known.name}
