"""Whose ledger it is: an activation drives a target only with the target's ledger in its own name."""

from voyado_operator.api.common import Kind, ObjectKey
from voyado_operator.domain.errors import TargetConflict
from voyado_operator.domain.target import TargetIdentity
from voyado_operator.reconcile.ports import Cluster, Ledger
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.worker import Worker


async def former_owner(
    ledger: Ledger, owner: str, identity: TargetIdentity, registry: Registry, cluster: Cluster, worker: Worker
) -> str | None:
    """Whom `owner` may take the ledger over from, if it is not its own.

    An activation of this cluster that is gone, or drives another target by now, has no use for its ledger any more.
    Raises TargetConflict.
    """
    holder = await worker(lambda: ledger.owner)
    if holder == owner:
        return None
    here, key = _split(holder)
    if here != _split(owner)[0]:
        raise TargetConflict(
            f"the {identity} is driven by {key} of another cluster (its kube-system namespace has UID {here}); "
            f"stop that one and move its ledger {ledger.url} (docs/ledger.md), or choose another target"
        )
    if await cluster.exists(Kind.ACTIVATION, key) and not _has_left(registry, key, identity):
        raise TargetConflict(f"the {identity} is driven by {key}; delete that one or choose another target")
    return str(key)


def _has_left(registry: Registry, key: ObjectKey, identity: TargetIdentity) -> bool:
    """Whether an activation drives something else; of one that we do not watch, or without connection, who knows."""
    watched = registry.activations.get(key)
    is_known = watched is not None and registry.connection_of(watched.latest) is not None
    return is_known and not registry.drives(key, identity)


def _split(owner: str) -> tuple[str, ObjectKey]:
    cluster, namespace, name = owner.split("/")
    return cluster, ObjectKey(namespace, name)
