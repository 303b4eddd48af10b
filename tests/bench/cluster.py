"""The cluster that scale.py measures in: an API server, tenants of Engage, and many small activations."""

import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from kubernetes import client, config
from prometheus_client.parser import text_string_to_metric_families

from tests.bench.measuring import serving
from tests.cluster.world import ACTIVATIONS, CONNECTIONS, GROUP, VERSION, manifest, ready
from tests.controlplane.processes import ControlPlane, control_plane_with_crds, free_port
from tests.engage import EngageAdmin
from tests.running import Operator, running_operator

CONNECTION = "engage"  # one in each namespace
FINALIZER = f"{GROUP}/finalizer"  # which the operator would add to each with a call of its own
THREADS = 8  # that create objects
LOOK = 0.5  # seconds between two looks at the operator's metrics, as each costs it some milliseconds
Body = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """`folder` is where the operator's ledgers stay, so that a restarted one finds its own."""

    control_plane: ControlPlane
    folder: Path
    objects: Any
    core: Any

    def operator(self) -> AbstractContextManager[Operator]:
        """A process of its own, as it is shipped."""
        return running_operator(self.control_plane.kubeconfig, self.folder, LOG_LEVEL="INFO")

    def connect(self, namespace: str, engage: EngageAdmin) -> None:
        """With an API key of its own, the namespace's name: connections do not share a limit per second."""
        self.core.create_namespace({"metadata": {"name": namespace}})
        self.secret(namespace, "engage", apiKey=namespace)
        spec = {
            "url": engage.url,
            "apiKeySecretRef": {"name": "engage"},
            "labels": {"attribute": {"idTemplate": "label_{label}"}},
            "requestsPerSecond": 200,
        }
        self._create(namespace, CONNECTIONS, manifest("VoyadoConnection", CONNECTION, spec))

    def secret(self, namespace: str, name: str, **values: str) -> None:
        self.core.create_namespaced_secret(namespace, {"metadata": {"name": name}, "stringData": values})

    def create(self, activations: Iterable[tuple[str, Body]]) -> None:
        """Each in the namespace beside it."""
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(lambda one: self._create(one[0], ACTIVATIONS, one[1]), activations))

    def apply(self, namespace: str, activation: Body) -> None:
        """As `kubectl apply --server-side` does."""
        self._patch(namespace, activation["metadata"]["name"], activation, "apply-patch+yaml", field_manager="kubectl")

    def report(self, status: Body) -> None:
        """As the status of all activations that are not suspended, as an operator that has been stopped left them."""
        wanted = [one["metadata"] for one in self.activations(*self._namespaces()) if not one["spec"].get("suspend")]
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(lambda one: self._report(one["namespace"], one["name"], status), wanted))

    def merge(self, namespace: str, changes: Mapping[str, Body]) -> None:
        """Into the activations of these names, all at once."""
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(lambda name: self._patch(namespace, name, changes[name], "merge-patch+json"), changes))

    def activations(self, *namespaces: str) -> list[Body]:
        list_them = self.objects.list_namespaced_custom_object
        return [one for name in namespaces for one in list_them(GROUP, VERSION, name, ACTIVATIONS)["items"]]

    def is_connected(self, namespace: str) -> bool:
        found = self.objects.get_namespaced_custom_object(GROUP, VERSION, namespace, CONNECTIONS, CONNECTION)
        return bool(ready(found["status"]).get("status") == "True")

    def status_writes(self) -> int:
        """Of all activations so far, counted by the API server, whichever way they were written."""
        wanted = {"resource": ACTIVATIONS, "subresource": "status"}
        counted = self._samples("apiserver_request_total", wanted)
        return int(sum(value for verb, value in counted if verb in ("APPLY", "PATCH", "PUT")))

    def watches(self) -> int:
        """How many watch the activations right now."""
        wanted = {"resource": ACTIVATIONS, "verb": "WATCH"}
        return int(sum(value for _, value in self._samples("apiserver_longrunning_requests", wanted)))

    def _samples(self, name: str, wanted: dict[str, str]) -> Iterator[tuple[str, float]]:
        """Verb and value. The API server says so much that only the lines in question are parsed."""
        api = self.core.api_client
        headers = {"Authorization": api.configuration.get_api_key_with_prefix("BearerToken")}
        said = httpx.get(
            f"{api.configuration.host}/metrics", headers=headers, verify=False, timeout=60
        ).text.splitlines()
        lines = "\n".join(line for line in said if line.startswith(f"{name}{{") and wanted["resource"] in line)
        for family in text_string_to_metric_families(f"{lines}\n"):
            for sample in family.samples:
                if wanted.items() <= sample.labels.items():
                    yield sample.labels["verb"], sample.value

    def _namespaces(self) -> set[str]:
        found = self.objects.list_cluster_custom_object(GROUP, VERSION, CONNECTIONS)["items"]
        return {one["metadata"]["namespace"] for one in found}

    def _report(self, namespace: str, name: str, status: Body) -> None:
        self.objects.patch_namespaced_custom_object_status(
            *(GROUP, VERSION, namespace, ACTIVATIONS, name, {"status": status}),
            _content_type="application/merge-patch+json",
        )

    def _create(self, namespace: str, plural: str, body: Body) -> None:
        self.objects.create_namespaced_custom_object(GROUP, VERSION, namespace, plural, body)

    def _patch(self, namespace: str, name: str, body: Body, how: str, **options: str) -> None:
        self.objects.patch_namespaced_custom_object(
            *(GROUP, VERSION, namespace, ACTIVATIONS, name, body), _content_type=f"application/{how}", **options
        )


@contextmanager
def cluster() -> Iterator[Cluster]:
    """An empty one, gone with the block."""
    with control_plane_with_crds() as control_plane, tempfile.TemporaryDirectory() as folder:
        log_in: Any = config.new_client_from_config  # which has no types
        api = log_in(str(control_plane.kubeconfig))
        yield Cluster(control_plane, Path(folder), client.CustomObjectsApi(api), client.CoreV1Api(api))


@contextmanager
def tenant(*namespaces: str) -> Iterator[EngageAdmin]:
    """The simulator, for those namespaces, in a process of its own: it and whoever measures do not share a core."""
    port = free_port()
    with serving("engage_simulator", "--port", str(port)):
        admin = EngageAdmin(f"http://127.0.0.1:{port}")
        admin.configure(apiKeys=namespaces)
        try:
            yield admin
        finally:
            admin.close()


def people(engage: EngageAdmin, number: int) -> list[str]:
    """New contacts, with the addresses `<id>@people.example`."""
    ids = [str(uuid.uuid4()) for _ in range(number)]
    engage.seed([{"id": one, "email": f"{one}@people.example"} for one in ids])
    return ids


def labels(engage: EngageAdmin, prefix: str, number: int) -> list[str]:
    """Names of labels that Engage has an attribute for."""
    names = [f"{prefix}-{one}" for one in range(number)]
    engage.configure(attributes={f"label_{name}": "boolean" for name in names})
    return names


def activation(label: str, *contacts: str, **spec: Any) -> Body:
    """One that runs when it is new, and then tomorrow."""
    given = {
        "connectionRef": {"name": CONNECTION},
        "audience": {"contactIds": list(contacts)},
        "target": {"label": {"name": label}},
        "schedule": {"every": "24h"},
    }
    made = manifest("SegmentActivation", label, given | spec)
    made["metadata"]["finalizers"] = [FINALIZER]
    return made


def series(operator: Operator, name: str) -> list[float]:
    """The values of one metric; asked for by its name, as all metrics of thousands of activations take seconds."""
    url = f"http://127.0.0.1:{operator.metrics_port}/metrics"
    said = httpx.get(url, params={"name[]": name}, verify=False, timeout=60).text.splitlines()
    return [float(line.rpartition(" ")[2]) for line in said if line.startswith((f"{name}{{", f"{name} "))]


def until(is_so: Callable[[], bool], seconds: float, look: float = LOOK) -> None:
    """Raises TimeoutError when it is not after so many seconds."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:.0f} s")
        time.sleep(look)
