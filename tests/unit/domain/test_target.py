"""Which targets are one and the same."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.domain.hosts import canonical_host
from voyado_operator.domain.target import Route, TargetIdentity

VIP = TargetIdentity("acme.voyado.com", "label", "attribute:label_vip", "Member", route=Route.ATTRIBUTE, shown="vip")


@pytest.mark.parametrize(
    ("other", "conflict"),
    [
        (VIP, True),
        (replace(VIP, on_enter="Accept"), True),
        (replace(VIP, shown="VIP"), True),
        (replace(VIP, contact_type=None), True),
        (replace(VIP, contact_type="Contact"), False),
        (replace(VIP, name="attribute:label_gold"), False),
        (replace(VIP, name="trigger:sync:vip", route=Route.TRIGGER), False),
        (replace(VIP, host="other.voyado.com"), False),
        (replace(VIP, kind="consent"), False),
    ],
)
def test_two_targets_conflict_when_they_may_touch_the_same(other: TargetIdentity, conflict: bool) -> None:
    assert VIP.conflicts_with(other) is conflict


identities = st.builds(
    TargetIdentity,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["label", "consent"]),
    st.sampled_from(["attribute:vip", "trigger:x:vip"]),
    st.sampled_from([None, "Member", "Contact"]),
    st.sampled_from(["Accept", "Decline", "Add"]),
    st.sampled_from(Route),
    st.dictionaries(st.text(), st.text()),
    st.text(),
)


@given(identities, identities)
def test_a_conflict_is_mutual(one: TargetIdentity, other: TargetIdentity) -> None:
    assert one.conflicts_with(other) == other.conflicts_with(one)
    assert one.conflicts_with(one)


@given(identities, st.text())
def test_a_ledger_remembers_how_a_target_is_driven(one: TargetIdentity, connection: str) -> None:
    again = TargetIdentity.defined(one.definition(connection))
    assert again == one
    assert again.definition(connection) == one.definition(connection)


ACME = "acme.voyado.com"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://acme.voyado.com", ACME),
        ("https://ACME.Voyado.com/", ACME),
        ("https://acme.voyado.com.", ACME),
        ("https://acme.voyado.com:443", ACME),
        ("https://acme.voyado.com:0443", ACME),
        ("https://acme.voyado.com.:00443/", ACME),
        ("http://acme.voyado.com:80", ACME),
        ("https://acme.voyado.com:80", f"{ACME}:80"),
        ("https://acme.voyado.com:08443", f"{ACME}:8443"),
        ("https://b\u00fccher.voyado.com", "xn--bcher-kva.voyado.com"),
        ("https://XN--bcher-kva.voyado.com", "xn--bcher-kva.voyado.com"),
        ("https://acme.voyado.com:99999", f"{ACME}:99999"),
        ("https://acme..voyado.com", "acme..voyado.com"),
    ],
)
def test_a_tenant_has_one_spelling(url: str, host: str) -> None:
    assert canonical_host(url) == host
