"""Our finalizer: only an activation with deletionPolicy: Withdraw waits for us when it is deleted.

Kopf's own finalizer holds an object only until its daemon has ended, and after a restart Kopf starts no daemon for an
object that is being deleted already; a withdrawal must survive both.
"""

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.common import GROUP, Kind
from voyado_operator.reconcile.ports import Cluster

WITHDRAW = f"{GROUP}/withdraw"


async def keep_finalizer(cluster: Cluster, activation: SegmentActivation) -> None:
    """Let the object carry the finalizer exactly while its policy is Withdraw."""
    wanted = activation.spec.deletion_policy == "Withdraw"
    if wanted and not holds(activation):
        await cluster.add_finalizer(Kind.ACTIVATION, activation.metadata, WITHDRAW)
    if not wanted and holds(activation):
        await release(cluster, activation)


def holds(activation: SegmentActivation) -> bool:
    return WITHDRAW in activation.metadata.finalizers


async def release(cluster: Cluster, activation: SegmentActivation) -> None:
    """Let the object go, as far as we are concerned."""
    await cluster.remove_finalizer(Kind.ACTIVATION, activation.metadata, WITHDRAW)
