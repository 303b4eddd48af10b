"""The API server as a person reaches it: kubeconfig, contexts and exec plugins, and errors that say what to do."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.common import GROUP, VERSION, Kind
from voyado_operator.api.connection import VoyadoConnection

Resource = TypeVar("Resource", SegmentActivation, VoyadoConnection)
MANAGER = "kubectl-voyado"
SECONDS = (5, 30)  # to connect, to answer
DENIED = " denied request: "


class Unable(Exception):  # noqa: N818 - says what cannot be done, not that it is an error
    """What was asked cannot be done; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """kubectl's own options; None is what kubectl takes when an option is left out."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None


class ApiServer:
    """Reads and annotates our two kinds. Every method raises Unable."""

    def __init__(self, whereabouts: Whereabouts) -> None:
        from kubernetes import client

        configuration = client.Configuration()
        configuration.retries = False  # a person waits, and can call again
        self.namespace = _configured(whereabouts, configuration)
        self.host = configuration.host
        self._objects = client.CustomObjectsApi(client.ApiClient(configuration))

    def activations(self, namespace: str | None) -> list[SegmentActivation]:
        """Of all namespaces where it is None."""
        return self._listed(Kind.ACTIVATION, SegmentActivation, namespace)

    def connections(self, namespace: str | None) -> list[VoyadoConnection]:
        return self._listed(Kind.CONNECTION, VoyadoConnection, namespace)

    def activation(self, name: str) -> SegmentActivation:
        with self._asking("get", Kind.ACTIVATION, name):
            found = self._objects.get_namespaced_custom_object(
                *self._at(Kind.ACTIVATION), name, _request_timeout=SECONDS
            )
        return _read(SegmentActivation, found)

    def connection_of(self, activation: SegmentActivation) -> VoyadoConnection | None:
        """None where there is none, or where it may not be read."""
        name = activation.spec.connection_ref.name
        try:
            with self._asking("get", Kind.CONNECTION, name):
                place = self._at(Kind.CONNECTION)
                found = self._objects.get_namespaced_custom_object(*place, name, _request_timeout=SECONDS)
        except Unable:
            return None
        return _read(VoyadoConnection, found)

    def annotate(self, name: str, annotation: str, value: str) -> SegmentActivation:
        return self._patched(name, {"metadata": {"annotations": {annotation: value}}})

    def suspend(self, name: str) -> SegmentActivation:
        return self._patched(name, {"spec": {"suspend": True}})

    def resume(self, name: str) -> SegmentActivation:
        return self._patched(name, {"spec": {"suspend": False}})

    def versions(self, activation: SegmentActivation, seconds: float) -> Iterator[SegmentActivation]:
        """What becomes of the activation after this version of it, for so long. Raises Unable when it is deleted."""
        from urllib3.exceptions import ProtocolError, ReadTimeoutError

        try:
            yield from self._watched(activation, max(1, round(seconds)))
        except (ProtocolError, ReadTimeoutError):  # what stands between cuts a connection that was silent for long
            yield self.activation(activation.metadata.name)

    def _watched(self, activation: SegmentActivation, seconds: int) -> Iterator[SegmentActivation]:
        from kubernetes import watch

        name = activation.metadata.name
        stream = watch.Watch().stream(  # type: ignore[no-untyped-call]
            self._objects.list_namespaced_custom_object,
            *self._at(Kind.ACTIVATION),
            field_selector=f"metadata.name={name}",
            resource_version=activation.metadata.resource_version,
            timeout_seconds=seconds,
            _request_timeout=(SECONDS[0], seconds + SECONDS[1]),
        )
        with self._asking("watch", Kind.ACTIVATION, name):
            for event in stream:
                if event["type"] == "DELETED":
                    raise Unable(f"SegmentActivation {name} was deleted meanwhile")
                yield _read(SegmentActivation, event["object"])

    def _at(self, kind: Kind) -> tuple[str, str, str, str]:
        return GROUP, VERSION, self.namespace, kind.plural

    def _listed(self, kind: Kind, model: type[Resource], namespace: str | None) -> list[Resource]:
        with self._asking("list", kind, namespace=namespace):
            if namespace is None:
                found: Any = self._objects.list_cluster_custom_object(
                    GROUP, VERSION, kind.plural, _request_timeout=SECONDS
                )
            else:
                found = self._objects.list_namespaced_custom_object(
                    GROUP, VERSION, namespace, kind.plural, _request_timeout=SECONDS
                )
        return [_read(model, one) for one in found["items"]]

    def _patched(self, name: str, patch: dict[str, Any]) -> SegmentActivation:
        with self._asking("patch", Kind.ACTIVATION, name):
            changed = self._objects.patch_namespaced_custom_object(
                *self._at(Kind.ACTIVATION),
                name,
                patch,
                field_manager=MANAGER,
                _content_type="application/merge-patch+json",
                _request_timeout=SECONDS,
            )
        return _read(SegmentActivation, changed)

    @contextmanager
    def _asking(self, verb: str, kind: Kind, name: str = "", namespace: str | None = "") -> Iterator[None]:
        """Errors of the client as Unable. `namespace` is our own where it is left out, None for all."""
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

        try:
            yield
        except ApiException as error:
            where = "in any namespace" if namespace is None else f"in namespace {namespace or self.namespace}"
            raise Unable(self._refused(error, verb, kind, name, where)) from None
        except HTTPError as error:
            if verb == "watch" and isinstance(error, ProtocolError | ReadTimeoutError):
                raise
            cause = str(getattr(error, "reason", None) or error)
            raise Unable(f"cannot reach the API server at {self.host}: {_without_address(cause)}") from None

    def _refused(self, error: Any, verb: str, kind: Kind, name: str, where: str) -> str:
        said = _status(error.body)
        match error.status:
            case 401:
                return f"the API server at {self.host} does not accept your credentials; log in again"
            case 403 if DENIED in said.get("message", ""):  # by an admission policy, such as the chart's four eyes
                return str(said["message"]).rpartition(DENIED)[2]
            case 403:
                return (
                    f"you may not {verb} {kind.plural} {where}: you need a Role that allows the verb {verb} on "
                    f"{kind.plural} of the API group {GROUP}"
                )
            case 404 if said.get("details", {}).get("name") == name:
                return f"there is no {kind} {name} {where}{self._near(kind, name)}"
            case 404:
                return f"the cluster has no {kind}: install the CRDs with kubectl apply --server-side -f crds/"
        return f"the API server refused to {verb} {kind} {name}: {said.get('message') or error.reason}"

    def _near(self, kind: Kind, name: str) -> str:
        try:
            known = [one.metadata.name for one in self._listed(kind, SegmentActivation, self.namespace)]
        except Unable:
            return ""
        near = get_close_matches(name, known, n=1)
        if near:
            return f"; did you mean {near[0]}?"
        return f"; there are {', '.join(known[:5])}{', …' if known[5:] else ''}" if known else ", which has none at all"


def _configured(whereabouts: Whereabouts, configuration: Any) -> str:
    """Fill in the client's configuration; return the namespace."""
    from kubernetes import config

    file, context = whereabouts.kubeconfig, whereabouts.context
    try:
        config.load_kube_config(file, context, configuration)  # type: ignore[no-untyped-call]
        contexts, active = config.list_kube_config_contexts(file)  # type: ignore[no-untyped-call]
    except config.ConfigException as error:
        if file or context or not _is_in_cluster(configuration):
            why = str(error).removeprefix("Invalid kube-config file. ").rstrip(".")
            raise Unable(
                f"cannot tell which cluster to talk to: {why}; see KUBECONFIG, --kubeconfig and --context"
            ) from None
        return whereabouts.namespace or "default"
    chosen = next((one for one in contexts if one["name"] == context), active)
    return whereabouts.namespace or chosen["context"].get("namespace") or "default"


def _is_in_cluster(configuration: Any) -> bool:
    """As kubectl does in a pod, where there is no kubeconfig."""
    from kubernetes import config

    try:
        config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    except config.ConfigException:
        return False
    return True


def _read(model: type[Resource], found: Any) -> Resource:
    try:
        return model.model_validate(found)
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise Unable(
            f"cannot read {model.__name__} {found['metadata']['name']}: {field} is not as this version knows it; "
            "install the kubectl-voyado of your operator's version"
        ) from None


def _status(body: str | bytes | None) -> dict[str, Any]:
    """The API server's own words, where it was it that answered."""
    try:
        found = json.loads(body or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _without_address(cause: str) -> str:
    """urllib3 begins with the connection object's repr."""
    return re.sub(r"^(<[^>]+>|HTTPS?Connection\([^)]*\)): ", "", cause)
