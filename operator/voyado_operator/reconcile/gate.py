"""What keeps an activation from running, though it may be due."""

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.reconcile.conditions import Verdict, fine, ready_of, retrying, stalled
from voyado_operator.reconcile.registry import is_ready

HOLDS = {"Suspended", "ConnectionNotReady"}
"""Reasons set by this gate; once it opens, Ready must be recomputed."""


def held_back(activation: SegmentActivation, connection: VoyadoConnection | None) -> Verdict | None:
    """The verdict on an activation that may not run now."""
    name = activation.spec.connection_ref.name
    if activation.spec.suspend:
        return fine("Suspended", "suspended by spec.suspend")
    if connection is None:
        namespace = activation.metadata.namespace
        return retrying("ConnectionNotReady", f"there is no VoyadoConnection {name} in namespace {namespace}")
    if connection.spec.suspend:
        return fine("Suspended", f"the VoyadoConnection {name} is suspended")
    if not is_ready(connection):
        ready = ready_of(connection.status.conditions)
        why = f": {ready.message}" if ready else " yet"
        own = ready_of(activation.status.conditions)
        if ready and own and ready.reason == own.reason == "CredentialsInvalid":  # a run of its own found it out
            return stalled("CredentialsInvalid", ready.message)
        return retrying("ConnectionNotReady", f"the VoyadoConnection {name} is not Ready{why}")
    return None


def hinders(activation: SegmentActivation, connection: VoyadoConnection | None) -> str:
    """Why an activation cannot do anything now, in words that follow its name; empty: it can."""
    if activation.spec.suspend:
        return "which is suspended"
    if activation.spec.mode == "Plan":
        return "which is in mode Plan"
    if connection is None or connection.spec.suspend or not is_ready(connection):
        return f"whose VoyadoConnection {activation.spec.connection_ref.name} is not Ready"
    return ""
