"""What keeps an activation from running, though it may be due."""

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.reconcile.conditions import Verdict, fine, ready_of, retrying, stalled
from voyado_operator.reconcile.registry import is_ready

HOLDS = {"Suspended", "ConnectionNotReady", "TargetConflict"}
"""The reasons that end here: whoever shows one of them and is held back no more has something else to say."""


def held_back(
    activation: SegmentActivation, connection: VoyadoConnection | None, rival: SegmentActivation | None
) -> Verdict | None:
    """The verdict on an activation that may not run now; `rival` is an older one of the same target."""
    name = activation.spec.connection_ref.name
    if activation.spec.suspend:
        return fine("Suspended", "suspended by spec.suspend")
    if connection is None:
        namespace = activation.metadata.namespace
        return retrying("ConnectionNotReady", f"there is no VoyadoConnection {name} in namespace {namespace}")
    if connection.spec.suspend:
        return fine("Suspended", f"the VoyadoConnection {name} is suspended")
    if rival is not None:
        return stalled(
            "TargetConflict",
            f"the older activation {rival.metadata.key} drives the same target; delete it or choose another target",
        )
    if not is_ready(connection):
        ready = ready_of(connection.status.conditions)
        why = f": {ready.message}" if ready else " yet"
        own = ready_of(activation.status.conditions)
        if ready and own and ready.reason == own.reason == "CredentialsInvalid":  # a run of its own found it out
            return stalled("CredentialsInvalid", ready.message)
        return retrying("ConnectionNotReady", f"the VoyadoConnection {name} is not Ready{why}")
    return None
