"""The key that addresses and contactIds are hashed with: a Secret of the operator's own."""

import secrets

from voyado_operator.kube.cluster import Cluster, NoCluster
from voyado_operator.kube.echoes import Echoes
from voyado_operator.kube.lease import PASSING

SECRET, KEY = "voyado-operator-hash-key", "key"


class NoHashKey(Exception):  # noqa: N818 - what is missing, said in a sentence
    """The key cannot be read."""


async def existing_or_created(cluster: Cluster, namespace: str) -> bytes:
    """The key; made up where there is no Secret yet. Raises ApiException."""
    return await cluster.secret_or_created(namespace, SECRET, KEY, secrets.token_bytes(32))


async def read(kubeconfig: str | None, namespace: str) -> bytes:
    """The key, for a program that runs beside the operator. Raises NoHashKey."""
    what = f"the operator's hash key (Secret {namespace}/{SECRET}, key {KEY}) cannot be read"
    try:
        cluster = await Cluster.connect(kubeconfig, Echoes())
        try:
            key = await cluster.secret_value(namespace, SECRET, KEY)
        finally:
            await cluster.close()
    except NoCluster as error:
        raise NoHashKey(f"{what}: {error}") from None
    except (*PASSING, KeyError, ValueError) as error:
        why = getattr(error, "status", None) or type(error).__name__  # an HTTP status says more than its class
        raise NoHashKey(f"{what}: {why}; run the command in the operator's pod, which may read it") from None
    if not key:
        raise NoHashKey(f"{what}: it is empty")
    return key
