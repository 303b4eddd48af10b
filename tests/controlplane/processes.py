"""A control plane and a PostgreSQL without containers, for tests and the demo."""

import base64
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from tests.controlplane.build import BIN
from tests.controlplane.certificates import write_key, write_server_certificate

STARTUP_SECONDS = 60
SPACIOUS = {"GOGC": "400"}  # a start takes 3.0 s of CPU instead of 4.0
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata", "userGroups": ["system:serviceaccounts"]}, {"level": "None"}],
}


_given: set[int] = set()


def free_port() -> int:
    """A port that no earlier call returned: a tenant at an earlier one's port would resume its ledgers."""
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = int(listener.getsockname()[1])
        if port not in _given:
            _given.add(port)
            return port


class Program:
    """A process that can be started again as it was; a session of its own, as Ctrl-C is for whoever tidies up."""

    def __init__(self, name: str, log: Path, flags: dict[str, object]) -> None:
        self._command = [BIN / name, *(f"--{flag}={value}" for flag, value in flags.items())]
        self._log = log
        self.process = self._started()

    def restart(self) -> None:
        self.end()
        self.process = self._started()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        with self._log.open("a") as log:
            return subprocess.Popen(
                self._command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=os.environ | SPACIOUS
            )


@dataclass(frozen=True)
class ControlPlane:
    """A running kube-apiserver with its etcd; `kubeconfig` makes its bearer an admin."""

    kubeconfig: Path
    etcd: Program
    apiserver: Program

    @property
    def audit(self) -> Path:
        """What service accounts asked for and were answered, an event a line (audit.k8s.io/v1)."""
        return self.kubeconfig.parent / "audit.log"

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return what it prints; a failure raises with what it said."""
        done = self.try_kubectl(*arguments, stdin=stdin)
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def try_kubectl(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [BIN / "kubectl", f"--kubeconfig={self.kubeconfig}", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True)


@contextmanager
def control_plane() -> Iterator[ControlPlane]:
    """etcd and kube-apiserver on free loopback ports, gone with the block."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="controlplane-")))
        etcd, peer, api = free_port(), free_port(), free_port()
        storage = start_etcd(folder, etcd, peer)
        stack.callback(storage.end)
        token = secrets.token_hex(16)
        (folder / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
        apiserver = start_apiserver(folder, etcd, api)
        stack.callback(apiserver.end)
        running = ControlPlane(write_kubeconfig(folder, api, token), storage, apiserver)
        await_ready(f"https://127.0.0.1:{api}", token)
        yield running


@contextmanager
def control_plane_with_crds() -> Iterator[ControlPlane]:
    """The same, ready for our resources."""
    with control_plane() as running:
        install_crds(running)
        yield running


def install_crds(cluster: ControlPlane) -> None:
    cluster.kubectl("apply", "--server-side", "-f", "crds/")
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")


def start_etcd(folder: Path, port: int, peer: int) -> Program:
    client, peers = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
    flags: dict[str, object] = {
        "data-dir": folder / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"default={peers}",
        "unsafe-no-fsync": "true",
        "log-level": "error",
    }
    return Program("etcd", folder / "etcd.log", flags)


def start_apiserver(folder: Path, etcd: int, port: int) -> Program:
    key = folder / "service-account.key"
    write_key(key)
    certificate, certificate_key = folder / "apiserver.crt", folder / "apiserver.key"
    write_server_certificate(certificate, certificate_key)
    policy = folder / "audit-policy.yaml"
    policy.write_text(yaml.safe_dump(AUDIT_POLICY))
    # envtest's flags for a bare API server, and RBAC, since the operator runs under its own rights.
    flags: dict[str, object] = {
        "etcd-servers": f"http://127.0.0.1:{etcd}",
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "tls-cert-file": certificate,
        "tls-private-key-file": certificate_key,
        "token-auth-file": folder / "tokens.csv",
        "authorization-mode": "RBAC",
        "disable-admission-plugins": "ServiceAccount",
        "service-cluster-ip-range": "10.0.0.0/24",
        "allow-privileged": "true",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": key,
        "service-account-signing-key-file": key,
        "audit-policy-file": policy,
        "audit-log-path": folder / "audit.log",
    }
    return Program("kube-apiserver", folder / "kube-apiserver.log", flags)


def write_kubeconfig(folder: Path, port: int, token: str) -> Path:
    authority = base64.b64encode((folder / "apiserver.crt").read_bytes()).decode()
    server = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": authority}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": server}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "admin"}}],
        "current-context": "local",
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def await_ready(url: str, token: str) -> None:
    """Not by kubectl: a start asks some thirty times, and each kubectl costs a tenth of a second of CPU."""
    deadline = time.monotonic() + STARTUP_SECONDS
    for path in ("readyz", "api/v1/namespaces/default"):
        while not _is_there(f"{url}/{path}", token):
            if time.monotonic() > deadline:
                raise RuntimeError("kube-apiserver did not become ready; its log lies in the temporary folder")
            time.sleep(0.1)


def _is_there(url: str, token: str) -> bool:
    try:
        return httpx.get(url, headers={"Authorization": f"Bearer {token}"}, verify=False).is_success
    except httpx.TransportError:
        return False
