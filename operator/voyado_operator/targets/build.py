"""From a manifest, or from what a ledger says of itself, to a target. A new kind of target is one more line each."""

from contextlib import suppress
from json import dumps, loads

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.connection import EndpointCall, EndpointRoute, VoyadoConnection
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.domain.target import Route, TargetIdentity
from voyado_operator.engage.client import EngageClient
from voyado_operator.reconcile.ports import Target
from voyado_operator.targets.bulk import MOST_IN_FLIGHT
from voyado_operator.targets.consent import Consent
from voyado_operator.targets.label_attribute import LabelAttribute
from voyado_operator.targets.label_endpoint import LabelEndpoint, filled_path
from voyado_operator.targets.label_trigger import LabelTrigger
from voyado_operator.targets.preference import Preference
from voyado_operator.targets.singly import SECONDS_PER_BATCH

CONTACT = "{contactId}"


def identify(activation: SegmentActivation, connection: VoyadoConnection) -> TargetIdentity:
    """The name that ledgers and conflicts go by; never fails, so that even a wrong manifest has one."""
    host, contact_type, target = connection.spec.host, connection.spec.contact_type, activation.spec.target
    if target.preference is not None:
        channel, on_enter = target.preference.channel, target.preference.on_enter
        return TargetIdentity(host, "preference", channel, contact_type, on_enter, shown=channel)
    if target.consent is not None:
        consent, on_enter = target.consent.id, target.consent.on_enter
        return TargetIdentity(host, "consent", consent, contact_type, on_enter, shown=consent)
    label = target.label.name if target.label else ""
    route, name, parts = _label_route(label, connection)
    return TargetIdentity(host, "label", name, contact_type, route=route, parts=parts, shown=label)


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
    return _label(identify(activation, connection), connection, client)


def former_target(
    identity: TargetIdentity, on_exit: str, connection: VoyadoConnection, client: EngageClient, run_id: str
) -> Target:
    """The target as its ledger describes it, to take members off it. Raises InvalidSpec."""
    if identity.kind == "preference":
        return Preference(client, identity.name, identity.on_enter, on_exit, _batch_size(connection))
    if identity.kind == "consent":
        comment = _comment("withdrawal", run_id)
        return Consent(client, identity.name, comment, identity.on_enter, on_exit, _batch_size(connection))
    return _label(identity, connection, client)


def _label_route(label: str, connection: VoyadoConnection) -> tuple[Route, str, dict[str, object]]:
    """How the tenant represents the label, the label's canonical name, and what a call needs to write it.

    Two labels that come to one attribute, or to the same calls, are one target.
    """
    labels = connection.spec.labels
    if labels is not None and labels.attribute is not None:
        attribute = labels.attribute.id_template.replace("{label}", label)
        return Route.ATTRIBUTE, f"attribute:{attribute.lower()}", {"attribute": attribute}
    if labels is not None and labels.custom_trigger is not None:
        trigger = labels.custom_trigger.trigger_id
        return Route.TRIGGER, f"trigger:{trigger}:{label}", {"trigger": trigger, "label": label}
    if labels is not None and labels.endpoint is not None:
        calls = [_as_sent(call, label) for call in (labels.endpoint.add, labels.endpoint.remove)]
        parts: dict[str, object] = {"label": label, "endpoint": labels.endpoint.manifest()}
        return Route.ENDPOINT, f"endpoint:{dumps(calls)}", parts
    return Route.NONE, f"none:{label}", {}


def _as_sent(call: EndpointCall, label: str) -> list[str]:
    """The call as it goes out for any contact; a body that is no JSON is for LabelEndpoint to refuse."""
    body = (call.body or "").replace("{label}", label)
    with suppress(ValueError, RecursionError):
        body = dumps(loads(body), sort_keys=True)
    return [call.method, filled_path(call, CONTACT, label), body]


def _label(identity: TargetIdentity, connection: VoyadoConnection, client: EngageClient) -> Target:
    parts, batch_size = identity.parts, _batch_size(connection)
    match identity.route:
        case Route.ATTRIBUTE:
            in_bulk = connection.spec.bulk.mode == "Auto"
            return LabelAttribute(client, str(parts["attribute"]), MOST_IN_FLIGHT if in_bulk else batch_size)
        case Route.TRIGGER:
            return LabelTrigger(client, str(parts["trigger"]), str(parts["label"]), batch_size)
        case Route.ENDPOINT:
            route = EndpointRoute.model_validate(parts["endpoint"])
            return LabelEndpoint(client, route, str(parts["label"]), batch_size)
    raise InvalidSpec(
        f"spec.target.label: the VoyadoConnection {connection.metadata.name} does not say how it represents labels; "
        'write there, for one, labels: {attribute: {idTemplate: "label_{label}"}}'
    )


def _batch_size(connection: VoyadoConnection) -> int:
    return SECONDS_PER_BATCH * connection.spec.requests_per_second


def _comment(purpose: str, run_id: str) -> str:
    return f"{purpose} (run {run_id})"
