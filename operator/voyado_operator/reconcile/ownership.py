"""Whose target it is: it belongs to whoever claimed its ledger, until that one releases it or is gone."""

from voyado_operator.api.common import Kind, ObjectKey
from voyado_operator.domain.errors import TargetConflict
from voyado_operator.reconcile.findings import Assignment
from voyado_operator.reconcile.gate import hinders
from voyado_operator.reconcile.ports import Cluster, Ledger
from voyado_operator.reconcile.registry import Registry


async def ousted_by(assignment: Assignment, ledger: Ledger, cluster: Cluster, registry: Registry) -> tuple[str, ...]:
    """Return the owners whose place the activation may take, as they are gone. Raises TargetConflict."""
    side = assignment.side
    rivals = ledger.info.rivals(side.owner, side.target.contact_type)
    for rival in rivals:
        await _make_sure_is_gone(assignment, rival, cluster, registry)
    return tuple(rivals)


async def _make_sure_is_gone(assignment: Assignment, rival: str, cluster: Cluster, registry: Registry) -> None:
    here, key = _split(rival)
    if here != _split(assignment.side.owner)[0]:
        raise TargetConflict(
            f"the {assignment.identity} is driven by {key} of another cluster (its kube-system namespace has UID "
            f"{here}); if that cluster is gone: kubectl voyado take-over {assignment.activation.metadata.name} "
            f"--from {rival}, else choose another target"
        )
    if await cluster.exists(Kind.ACTIVATION, key):
        raise TargetConflict(
            f"the {assignment.identity} belongs to {_described(key, registry)}; delete that one, give it another "
            "target, or choose another one here"
        )


def _described(key: ObjectKey, registry: Registry) -> str:
    watched = registry.activations.get(key)
    why = hinders(watched.latest, registry.connection_of(watched.latest)) if watched else ""
    return f"{key}, {why}" if why else str(key)


def _split(owner: str) -> tuple[str, ObjectKey]:
    cluster, namespace, name = owner.split("/")
    return cluster, ObjectKey(namespace, name)
