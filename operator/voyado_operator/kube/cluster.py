"""One class over `kubernetes.aio`, with the calls the operator makes and no other."""

import base64
from collections.abc import AsyncIterable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, cast

import stamina
from aiohttp import ClientError
from kubernetes.aio import client, config
from kubernetes.aio.client import ApiException

from voyado_operator.api.common import GROUP, VERSION, Kind, Metadata, ObjectKey
from voyado_operator.domain.errors import CredentialsInvalid, SecretMissing, ServedElsewhere
from voyado_operator.kube.core import CALL_SECONDS, Core
from voyado_operator.kube.echoes import Echoes
from voyado_operator.kube.lease import Lease, is_held

MANAGER = "voyado-operator"
PATCH_FORMAT = "application/apply-patch+yaml"  # the client's default for patches gives 422 (operators.md 1.4)
AT_ONCE = 0.01  # seconds


class NoCluster(Exception):  # noqa: N818 - what is missing, said in a sentence
    """Nothing says which API server to talk to."""


class Cluster:
    """The API server, through one client for the life of the operator. Every method may raise ApiException.

    `echoes` is told of every status write.
    """

    def __init__(self, api: client.ApiClient, echoes: Echoes) -> None:
        # The client is typed as if every field of every answer could be missing, and refuses plain JSON for bodies.
        self._api: Any = api
        self._objects: Any = client.CustomObjectsApi(api)
        self._core = Core(api)
        self._leases: Any = client.CoordinationV1Api(api)
        self._installation: str | None = None
        self._echoes = echoes

    @classmethod
    async def connect(cls, kubeconfig: str | None, echoes: Echoes) -> "Cluster":
        """By the kubeconfig, else by the pod's service account. Raises NoCluster."""
        settings, load = client.Configuration(), cast(Any, config)
        try:
            if kubeconfig:
                await load.load_kube_config(kubeconfig, client_configuration=settings)
            else:
                load.load_incluster_config(client_configuration=settings)
        except config.ConfigException as error:
            where = f"KUBECONFIG={kubeconfig}" if kubeconfig else "outside of a pod KUBECONFIG must be set"
            raise NoCluster(f"cannot tell which cluster to talk to, {where}: {error}") from None
        return cls(client.ApiClient(settings), echoes)

    @property
    def url(self) -> str:
        return str(self._api.configuration.host)

    async def close(self) -> None:
        await self._api.close()

    def lease(self, namespace: str, name: str, lost: Callable[[], None]) -> Lease:
        """The Lease to be acquired, which names this installation; `lost` is called when somebody else has taken it."""
        self._installation = f"{namespace}/{name}"
        return Lease(self._leases, namespace, name, lost)

    async def is_another_alive(self, installation: str) -> bool:
        """Whether that installation is not this one, and holds its Lease, as far as may be known."""
        if installation == self._installation:
            return False
        namespace, _, name = installation.partition("/")
        try:
            found = await self._leases.read_namespaced_lease(name, namespace, _request_timeout=CALL_SECONDS)
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            if error.status == HTTPStatus.FORBIDDEN:  # an operator of some namespaces may not look into others
                return True
            raise
        return is_held(found)

    async def uid(self) -> str:
        """What tells this cluster from others: the UID of its kube-system namespace."""
        namespace = await self._core.read("namespaces/kube-system")
        return str(namespace["metadata"]["uid"])

    async def apply_status(self, kind: Kind, metadata: Metadata, status: dict[str, Any]) -> None:
        """Server-side apply of the whole status; nothing if the object is gone or another by its name took its place.

        It says which installation serves the object. Raises ServedElsewhere if another one does.

        A wrong uid alone is accepted (operators.md 1.4), so each attempt pins the resourceVersion it has looked at.
        """
        served = status | {"servedBy": self._installation}
        async for attempt in _attempts():
            with attempt:
                present = await self._same(kind, metadata)
                if present is None:
                    return
                server = present.get("status", {}).get("servedBy")
                if server and await self.is_another_alive(server):
                    raise ServedElsewhere(server)
                pinned = {
                    "name": metadata.name,
                    "namespace": metadata.namespace,
                    "resourceVersion": present["metadata"]["resourceVersion"],
                }
                written = await self._objects.patch_namespaced_custom_object_status(
                    *_path(kind, metadata.key),
                    {"apiVersion": f"{GROUP}/{VERSION}", "kind": kind.value, "metadata": pinned, "status": served},
                    field_manager=MANAGER,
                    force=True,
                    _content_type=PATCH_FORMAT,
                    _request_timeout=CALL_SECONDS,
                )
                self._echoes.written(metadata.uid, written["metadata"]["resourceVersion"])

    async def hand_over(self, kind: Kind, metadata: Metadata, installation: str) -> None:
        """Let that installation serve the object, if this one does."""
        async for attempt in _attempts():
            with attempt:
                present = await self._same(kind, metadata)
                if present is None or present.get("status", {}).get("servedBy") != self._installation:
                    return
                pinned = {"resourceVersion": present["metadata"]["resourceVersion"]}
                await self._objects.patch_namespaced_custom_object_status(
                    *_path(kind, metadata.key),
                    {"metadata": pinned, "status": {"servedBy": installation}},
                    _content_type="application/merge-patch+json",
                    _request_timeout=CALL_SECONDS,
                )

    async def count(self, kind: Kind, namespace: str | None) -> int:
        """How many objects there are in a namespace, None: in all; without fetching them."""
        where = (GROUP, VERSION, *([namespace] if namespace else []), kind.plural)
        listing = self._objects.list_namespaced_custom_object if namespace else self._objects.list_cluster_custom_object
        try:
            found = await listing(*where, limit=1, _request_timeout=CALL_SECONDS)
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:  # the kind is yet to be installed
                return 0
            raise
        return len(found["items"]) + int(found["metadata"].get("remainingItemCount") or 0)

    async def exists(self, kind: Kind, key: ObjectKey) -> bool:
        return await self._get(kind, key) is not None

    async def add_finalizer(self, kind: Kind, metadata: Metadata, finalizer: str) -> None:
        """Nothing if the object has it, or is gone."""
        await self._change_finalizers(kind, metadata, lambda present: list(dict.fromkeys([*present, finalizer])))

    async def remove_finalizer(self, kind: Kind, metadata: Metadata, finalizer: str) -> None:
        """Nothing if the object has it not, or is gone."""
        await self._change_finalizers(kind, metadata, lambda present: [one for one in present if one != finalizer])

    async def secret(self, field: str, namespace: str, name: str, key: str) -> str:
        """The value of a Secret's key; `field` is where the manifest names it. Raises CredentialsInvalid."""
        try:
            found = await self._core.read(f"namespaces/{namespace}/secrets/{name}")
        except ApiException as error:
            if error.status == HTTPStatus.FORBIDDEN:
                raise CredentialsInvalid(
                    f"{field}: the operator may not read the Secret {namespace}/{name}; grant it `get` on secrets"
                ) from None
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            raise SecretMissing(f"{field}: there is no Secret {namespace}/{name}; create it") from None
        encoded = found.get("data", {}).get(key)
        if not encoded:
            raise SecretMissing(f"{field}: the Secret {namespace}/{name} has no key {key}, or it is empty")
        try:
            return base64.b64decode(encoded).decode().strip()
        except UnicodeDecodeError:
            raise CredentialsInvalid(f"{field}: key {key} of the Secret {namespace}/{name} is not UTF-8") from None

    async def secret_or_created(self, namespace: str, name: str, key: str, value: bytes) -> bytes:
        """The value of a Secret's key; where there is no Secret, it is created with `value`: the first one wins."""
        try:
            return await self.secret_value(namespace, name, key)
        except ApiException as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        body = {
            "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": MANAGER}},
            "data": {key: base64.b64encode(value).decode()},
        }
        try:
            await self._core.create(f"namespaces/{namespace}/secrets", body)
        except ApiException as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
        return await self.secret_value(namespace, name, key)

    async def secret_value(self, namespace: str, name: str, key: str) -> bytes:
        """The bytes of a Secret's key. Raises ApiException, or KeyError where it lacks the key."""
        found = await self._core.read(f"namespaces/{namespace}/secrets/{name}")
        return base64.b64decode(found["data"][key])

    async def event(self, kind: Kind, metadata: Metadata, severity: str, reason: str, message: str) -> None:
        """Post one Event about the object; `severity` is Normal or Warning."""
        now = datetime.now(UTC).isoformat()
        body = {
            "metadata": {"generateName": f"{metadata.name}."},
            "involvedObject": {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": kind.value,
                "name": metadata.name,
                "namespace": metadata.namespace,
                "uid": metadata.uid,
            },
            "type": severity,
            "reason": reason,
            "message": message[:1024],
            "source": {"component": MANAGER},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        await self._core.create(f"namespaces/{metadata.namespace}/events", body)

    async def _change_finalizers(
        self, kind: Kind, metadata: Metadata, change: Callable[[list[str]], list[str]]
    ) -> None:
        """Kopf changes the same list at the same moments, so each attempt pins the resourceVersion it has looked at."""
        async for attempt in _attempts():
            with attempt:
                present = await self._same(kind, metadata)
                if present is None:
                    return
                before = present["metadata"].get("finalizers", [])
                wanted = change(before)
                if wanted == before:
                    return
                pinned = {"resourceVersion": present["metadata"]["resourceVersion"], "finalizers": wanted}
                await self._objects.patch_namespaced_custom_object(
                    *_path(kind, metadata.key),
                    {"metadata": pinned},
                    _content_type="application/merge-patch+json",
                    _request_timeout=CALL_SECONDS,
                )

    async def _same(self, kind: Kind, metadata: Metadata) -> dict[str, Any] | None:
        """The object as it is now; None when it is gone, or another by its name has taken its place."""
        present = await self._get(kind, metadata.key)
        return present if present is not None and present["metadata"]["uid"] == metadata.uid else None

    async def _get(self, kind: Kind, key: ObjectKey) -> dict[str, Any] | None:
        try:
            return dict(
                await self._objects.get_namespaced_custom_object(*_path(kind, key), _request_timeout=CALL_SECONDS)
            )
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise


def _path(kind: Kind, key: ObjectKey) -> tuple[str, str, str, str, str]:
    return GROUP, VERSION, key.namespace, kind.plural, key.name


def _attempts() -> AsyncIterable[stamina.Attempt]:
    return stamina.retry_context(on=_wait_for, attempts=8, timeout=60, wait_max=10)


def _wait_for(error: Exception) -> bool | float:
    """A conflict is looked at again at once; an API server that is busy or restarting comes back.

    The first status of a new object often meets Kopf's finalizer.
    """
    if isinstance(error, ApiException):
        if error.status == HTTPStatus.CONFLICT:
            return AT_ONCE
        return error.status in {0, 429} or (error.status or 0) > HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, (OSError, TimeoutError, ClientError))
