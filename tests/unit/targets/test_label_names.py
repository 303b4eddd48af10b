"""A label's name cannot make of the tenant's template what contacts are found by, or what people decide."""

from typing import Any, cast

import pytest
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.targets.build import identify, target_for

from tests.unit.reconcile.objects import activation, connection


def built(label: str, **labels: Any) -> None:
    target_for(activation(label=label), connection(labels=labels), cast(Any, None), "run")


@pytest.mark.parametrize(
    ("template", "label", "allowed"),
    [
        ("label_{label}", "vip", True),
        ("e{label}", "mail", False),
        ("E{label}", "MAIL", False),
        ("p{label}", "references", False),
        ("c{label}", "onsents", False),
        ("accepts{label}", "Email", False),
    ],
)
def test_an_attribute_of_engages_own_is_no_label(template: str, label: str, allowed: bool) -> None:
    if allowed:
        built(label, attribute={"idTemplate": template})
    else:
        with pytest.raises(InvalidSpec, match=r"spec\.target\.label"):
            built(label, attribute={"idTemplate": template})


@pytest.mark.parametrize(("label", "allowed"), [("vip", True), ("preferences", False), ("Consents", False)])
def test_a_path_that_writes_a_decision_is_no_label(label: str, allowed: bool) -> None:
    call = {"method": "POST", "path": "/api/v2/contacts/{contactId}/{label}/acceptsEmail", "body": '{"value": true}'}
    route = {"add": call, "remove": call}
    if allowed:
        built(label, endpoint=route)
    else:
        with pytest.raises(InvalidSpec, match="what the person decides"):
            built(label, endpoint=route)


@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        ("https://acme.voyado.com:443/", True),
        ("https://ACME.voyado.com", True),
        ("https://acme.voyado.com:8443", False),
    ],
)
def test_two_spellings_of_a_tenant_are_one(url: str, is_same: bool) -> None:
    one, other = (identify(activation(), connection(url=spelled)) for spelled in ("https://acme.voyado.com", url))
    assert one.conflicts_with(other) is is_same


CALL = "/api/v3/contacts/{contactId}/labels/{label}"
PUT, DELETE = {"method": "PUT", "path": CALL}, {"method": "DELETE", "path": CALL}
BODY = {"method": "PUT", "path": "/api/v3/contacts/{contactId}/labels", "body": '{"name": "{label}", "on": true}'}
SPACED = BODY | {"body": '{"on": true,  "name": "{label}"}'}
ONE_FOR_ALL = {"method": "POST", "path": "/api/v3/contacts/{contactId}/member"}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (
            ("vip", {"attribute": {"idTemplate": "label_{label}"}}),
            ("VIP", {"attribute": {"idTemplate": "LABEL_{label}"}}),
            True,
        ),
        (
            ("p_x", {"attribute": {"idTemplate": "vi{label}"}}),
            ("x", {"attribute": {"idTemplate": "vip_{label}"}}),
            True,
        ),
        (
            ("vip", {"attribute": {"idTemplate": "label_{label}"}}),
            ("vip", {"customTrigger": {"triggerId": "sync"}}),
            False,
        ),
        (("vip", {"customTrigger": {"triggerId": "sync"}}), ("vip", {"customTrigger": {"triggerId": "other"}}), False),
        (("vip", {"customTrigger": {"triggerId": "sync"}}), ("gold", {"customTrigger": {"triggerId": "sync"}}), False),
        (
            ("vip", {"endpoint": {"add": PUT, "remove": DELETE}}),
            ("gold", {"endpoint": {"add": PUT, "remove": DELETE}}),
            False,
        ),
        (
            ("vip", {"endpoint": {"add": BODY, "remove": BODY}}),
            ("vip", {"endpoint": {"add": SPACED, "remove": BODY}}),
            True,
        ),
        (
            ("vip", {"endpoint": {"add": ONE_FOR_ALL, "remove": ONE_FOR_ALL}}),
            ("gold", {"endpoint": {"add": ONE_FOR_ALL, "remove": ONE_FOR_ALL}}),
            True,
        ),
    ],
)
def test_labels_are_one_target_where_their_calls_are_the_same(
    one: tuple[str, Any], other: tuple[str, Any], is_same: bool
) -> None:
    mine, theirs = (identify(activation(label=label), connection(labels=labels)) for label, labels in (one, other))
    assert (mine == theirs) is is_same
