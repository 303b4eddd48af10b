"""Which targets are one and the same."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.domain.target import TargetIdentity

VIP = TargetIdentity("acme.voyado.com", "Member", "label", "vip", "attribute:label_vip", "Add")


@pytest.mark.parametrize(
    ("other", "conflict"),
    [
        (VIP, True),
        (replace(VIP, on_enter="Other"), True),
        (replace(VIP, route="customTrigger"), True),
        (replace(VIP, contact_type="default"), True),
        (replace(VIP, contact_type="Contact"), False),
        (replace(VIP, name="gold", route="attribute:label_gold"), False),
        (replace(VIP, name="label_vip", route="attribute:label_vip"), True),
        (replace(VIP, host="other.voyado.com"), False),
        (replace(VIP, kind="consent"), False),
    ],
)
def test_two_targets_conflict_when_they_may_touch_the_same(other: TargetIdentity, conflict: bool) -> None:
    assert VIP.conflicts_with(other) is conflict


identities = st.builds(
    TargetIdentity,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["default", "Member", "Contact"]),
    st.sampled_from(["label", "consent"]),
    st.sampled_from(["vip", "gold"]),
    st.sampled_from(["attribute:x", "attribute:y", "contact"]),
    st.just("Add"),
)


@given(identities, identities)
def test_a_conflict_is_mutual(one: TargetIdentity, other: TargetIdentity) -> None:
    assert one.conflicts_with(other) == other.conflicts_with(one)
    assert one.conflicts_with(one)
