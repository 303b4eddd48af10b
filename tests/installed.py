"""A control plane with the chart installed: the operator of the tests has the rights of the chart, and no other."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.controlplane.processes import ControlPlane, control_plane, install_crds
from tests.tools.chart import NAME, Manifest, rendered

RIGHTS = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}


@dataclass(frozen=True)
class Cluster(ControlPlane):
    """`operator_kubeconfig` logs in with a token of the chart's ServiceAccount."""

    operator_kubeconfig: Path

    def asked(self) -> list[Manifest]:
        """The audit events of what the operator has asked for so far."""
        return [json.loads(line) for line in self.audit.read_text().splitlines()] if self.audit.exists() else []


@contextmanager
def installed_cluster() -> Iterator[Cluster]:
    """A real kube-apiserver with CRDs and the chart's rights; whatever the operator was refused fails at the end."""
    with control_plane() as running:
        install_crds(running)
        grant(running, rendered())
        cluster = Cluster(running.kubeconfig, running.etcd, running.apiserver, log_in(running, NAME))
        yield cluster
        refused = [event for event in cluster.asked() if event["responseStatus"]["code"] in (401, 403)]
        assert not refused, f"the chart's rights do not suffice: {refused[:3]}"


def grant(running: ControlPlane, manifests: list[Manifest]) -> None:
    """Apply the chart's ServiceAccount and its roles."""
    rights = [manifest for manifest in manifests if manifest["kind"] in RIGHTS]
    running.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(rights))


def log_in(running: ControlPlane, account: str) -> Path:
    """A kubeconfig of this ServiceAccount in the namespace `default`."""
    token = running.kubectl("create", "token", account, "--namespace=default", "--duration=24h").strip()
    config = yaml.safe_load(running.kubeconfig.read_text())
    config["users"][0]["user"]["token"] = token
    path = running.kubeconfig.parent / f"{account}.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path
