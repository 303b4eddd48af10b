"""From a manifest, or from what a ledger says of itself, to a target. A new kind of target is one more line each."""

from collections.abc import Mapping

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.domain.target import ANY_TYPE, ATTRIBUTE, TargetIdentity
from voyado_operator.engage.client import EngageClient
from voyado_operator.reconcile.ports import Target
from voyado_operator.targets.bulk import MOST_IN_FLIGHT
from voyado_operator.targets.consent import Consent
from voyado_operator.targets.label_attribute import LabelAttribute
from voyado_operator.targets.label_endpoint import LabelEndpoint
from voyado_operator.targets.label_trigger import LabelTrigger
from voyado_operator.targets.preference import Preference
from voyado_operator.targets.singly import SECONDS_PER_BATCH

TRIGGER, ENDPOINT = "customTrigger", "endpoint"
UNROUTED = "none"
"""The route of a label in a tenant that says nothing of labels."""


def identify(activation: SegmentActivation, connection: VoyadoConnection) -> TargetIdentity:
    """The name that ledgers and conflicts go by; never fails, so that even a wrong manifest has one."""
    spec, target = connection.spec, activation.spec.target
    host, contact_type = spec.host, spec.contact_type or ANY_TYPE
    if target.preference is not None:
        preference = target.preference
        return TargetIdentity(host, contact_type, "preference", preference.channel, "contact", preference.on_enter)
    if target.consent is not None:
        return TargetIdentity(host, contact_type, "consent", target.consent.id, "contact", target.consent.on_enter)
    name = target.label.name if target.label else ""
    return TargetIdentity(host, contact_type, "label", name, _label_route(name, connection), "Add")


def definition(identity: TargetIdentity, connection: str) -> dict[str, str]:
    """What a ledger says of its target: enough to take members off it when the manifest is gone."""
    return {
        "connection": connection,
        "host": identity.host,
        "kind": identity.kind,
        "name": identity.name,
        "route": identity.route,
        "onEnter": identity.on_enter,
    }


def target_for(
    activation: SegmentActivation, connection: VoyadoConnection, client: EngageClient, run_id: str
) -> Target:
    """Raises InvalidSpec when the tenant has no way to show the target."""
    target, batch_size = activation.spec.target, _batch_size(connection)
    purpose = activation.spec.governance.purpose if activation.spec.governance else "withdrawal"
    if target.preference is not None:
        preference = target.preference
        return Preference(client, preference.channel, preference.on_enter, preference.on_exit, batch_size)
    if target.consent is not None:
        consent, comment = target.consent, _comment(purpose, run_id)
        return Consent(client, consent.id, comment, consent.on_enter, consent.on_exit, batch_size)
    identity = identify(activation, connection)
    return _label(identity.route, identity.name, connection, client)


def withdrawing_target(
    described: Mapping[str, str], connection: VoyadoConnection, client: EngageClient, run_id: str
) -> Target:
    """The target as a ledger describes it; a removal writes Decline, whatever onExit said. Raises InvalidSpec."""
    kind, name, on_enter = described["kind"], described["name"], described["onEnter"]
    if kind == "preference":
        return Preference(client, name, on_enter, "Decline", _batch_size(connection))
    if kind == "consent":
        comment = _comment("withdrawal", run_id)
        return Consent(client, name, comment, on_enter, "Decline", _batch_size(connection))
    return _label(described["route"], name, connection, client)


def _label_route(name: str, connection: VoyadoConnection) -> str:
    """`attribute:<id>`, as another attribute is another label in Engage, with members of its own."""
    labels = connection.spec.labels
    if labels is None:
        return UNROUTED
    if labels.attribute is not None:
        return f"{ATTRIBUTE}{labels.attribute.id_template.replace('{label}', name)}"
    return TRIGGER if labels.custom_trigger is not None else ENDPOINT


def _label(route: str, name: str, connection: VoyadoConnection, client: EngageClient) -> Target:
    labels, batch_size = connection.spec.labels, _batch_size(connection)
    if route.startswith(ATTRIBUTE):
        in_bulk = connection.spec.bulk.mode == "Auto"
        return LabelAttribute(client, route.removeprefix(ATTRIBUTE), MOST_IN_FLIGHT if in_bulk else batch_size)
    if route == TRIGGER and labels is not None and labels.custom_trigger is not None:
        return LabelTrigger(client, labels.custom_trigger.trigger_id, name, batch_size)
    if route == ENDPOINT and labels is not None and labels.endpoint is not None:
        return LabelEndpoint(client, labels.endpoint, name, batch_size)
    said = "does not say how it represents labels" if route == UNROUTED else f"has no label route {route} any more"
    raise InvalidSpec(
        f"spec.target.label: the VoyadoConnection {connection.metadata.name} {said}; write there, for one, "
        'labels: {attribute: {idTemplate: "label_{label}"}}'
    )


def _batch_size(connection: VoyadoConnection) -> int:
    return SECONDS_PER_BATCH * connection.spec.requests_per_second


def _comment(purpose: str, run_id: str) -> str:
    return f"{purpose} (run {run_id})"
