"""Whose target it is: it belongs to whoever claimed its ledger, until that one releases it or is gone."""

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.api.common import TAKE_OVER, Kind, ObjectKey
from voyado_operator.domain.errors import TargetConflict
from voyado_operator.domain.ledger_info import LedgerInfo, Succession
from voyado_operator.domain.target import TargetIdentity
from voyado_operator.reconcile.adapters import Adapters
from voyado_operator.reconcile.findings import Assignment
from voyado_operator.reconcile.gate import hinders
from voyado_operator.reconcile.ports import Cluster, Ledger
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.reconcile.triggers import token


async def succession(assignment: Assignment, ledger: Ledger, around: Surroundings, registry: Registry) -> Succession:
    """Return the owners whose place the activation may take: they are gone, or a person has handed the target over.

    Raises TargetConflict.
    """
    side, info = assignment.side, ledger.info
    rivals, takeover = info.rivals(side.owner, side.target.contact_type), _takeover(assignment, info)
    if not rivals and (holder := holder_of(assignment.activation, ledger.url, around.adapters, registry)):
        rivals = [around.owner(holder)]
    for rival in rivals:
        if takeover is None or takeover.split()[0] != rival:
            await _make_sure_is_gone(assignment, rival, around.cluster, registry)
    return Succession(tuple(rivals), takeover if rivals else None)


def holds(status: SegmentActivationStatus, url: str, adapters: Adapters) -> bool:
    """Whether the status tells of a claim on the target whose ledger lies at `url`."""
    return status.claimed is not None and adapters.is_of_same_target(status.claimed.url, url)


def holder_of(
    activation: SegmentActivation, url: str, adapters: Adapters, registry: Registry
) -> SegmentActivation | None:
    """The other activation whose status tells of a claim on the target whose ledger lies at `url`.

    It counts also where that ledger is gone. None if the activation has a claim itself.
    """
    if holds(activation.status, url, adapters):
        return None
    rivals = registry.rivals(activation)
    return next((other for other in rivals if holds(other.status, url, adapters)), None)


def _takeover(assignment: Assignment, info: LedgerInfo) -> str | None:
    """What a person asks for, unless that was carried out already: the annotation may stay in Git for ever."""
    asked = token(assignment.activation, TAKE_OVER)
    return asked if asked and asked.split() and asked not in info.takeovers else None


async def _make_sure_is_gone(assignment: Assignment, rival: str, cluster: Cluster, registry: Registry) -> None:
    here, key = _split(rival)
    if here != _split(assignment.side.owner)[0]:
        raise TargetConflict(
            f"the {assignment.identity} belongs to {key} of another cluster (its kube-system namespace has UID "
            f"{here}); if that cluster is gone: kubectl voyado take-over -n {assignment.activation.metadata.namespace} "
            f"{assignment.activation.metadata.name} --from {rival}; else choose another target"
        )
    if await cluster.exists(Kind.ACTIVATION, key):
        raise belongs_to(assignment.identity, key, registry)


def belongs_to(target: TargetIdentity, key: ObjectKey, registry: Registry) -> TargetConflict:
    """What to tell of a target that another activation of this cluster has claimed."""
    return TargetConflict(
        f"the {target} belongs to {_described(key, registry)}; delete that one, give it another target, or choose "
        "another one here"
    )


def _described(key: ObjectKey, registry: Registry) -> str:
    watched = registry.activations.get(key)
    why = hinders(watched.latest, registry.connection_of(watched.latest)) if watched else ""
    return f"{key}, {why}" if why else str(key)


def _split(owner: str) -> tuple[str, ObjectKey]:
    cluster, namespace, name = owner.split("/")
    return cluster, ObjectKey(namespace, name)
