"""The quickstart from the chart's manifests and the image's files, as a kubelet would start them."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from examples.demo.shop import Shop
from tests.chart.container import Container, build, variables
from tests.controlplane.postgres import running_postgres
from tests.controlplane.processes import ControlPlane, free_port
from tests.engage import running_simulator
from tests.installed import Cluster, log_in
from tests.running import Operator, await_serving
from tests.tools.chart import NAME, Manifest, rendered

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for chroot and mounts")

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("image")
    build(root)
    return root


@contextmanager
def kubelet(image: Path, folder: Path, cluster: Cluster, manifests: list[Manifest]) -> Iterator[Operator]:
    """Start the Deployment's one container with its own variables and mounts, and what every pod gets besides."""
    [pod] = [one["spec"]["template"]["spec"] for one in manifests if one["kind"] == "Deployment"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsUser"] == 65532
    mounts = {mount["mountPath"]: folder / mount["name"] for mount in container["volumeMounts"]}
    for path in mounts.values():
        path.mkdir()
        os.chown(path, 65532, pod["securityContext"]["fsGroup"])
    mounts[ACCOUNT] = service_account(folder / "account", cluster)
    server = urlsplit(yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]["server"])
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    environment |= {"KUBERNETES_SERVICE_HOST": str(server.hostname), "KUBERNETES_SERVICE_PORT": str(server.port)}
    environment = variables() | environment | {"PATH": "/usr/sbin:/usr/bin"}  # for who starts it
    program = Container(folder / "root", image, mounts).command("/opt/voyado-operator/bin/voyado-operator", "run")
    log = folder / "operator.log"
    with log.open("w") as output:
        process = subprocess.Popen(program, env=environment, stdout=output, stderr=subprocess.STDOUT)
    ports = [int(environment[f"VOYADO_OPERATOR_{name}_PORT"]) for name in ("METRICS", "HEALTH")]
    operator = Operator(process, log, mounts["/var/lib/voyado-operator"], *ports)
    try:
        await_serving(operator)
        yield operator
    finally:
        assert operator.stop() == 0


def service_account(folder: Path, cluster: Cluster) -> Path:
    """The files of a projected token."""
    folder.mkdir()
    config = yaml.safe_load(cluster.operator_kubeconfig.read_text())
    authority = yaml.safe_load(f"!!binary {config['clusters'][0]['cluster']['certificate-authority-data']}")
    (folder / "token").write_text(config["users"][0]["user"]["token"])
    (folder / "ca.crt").write_bytes(authority)
    (folder / "namespace").write_text("default")
    return folder


def test_the_quickstart_becomes_ready(image: Path, bare_cluster: ControlPlane, tmp_path: Path) -> None:
    """Every object of the chart applied; read-only root, no shell, uid 65532, no capability; its own RBAC."""
    tmp_path.chmod(0o755)
    values = {
        "engageHosts": ["127.0.0.1"],
        "sourceHosts": ["127.0.0.1"],
        "metrics": {"port": free_port()},
        "healthPort": free_port(),
    }
    manifests = rendered(values)
    bare_cluster.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(manifests))
    bare_cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    granted = Cluster(bare_cluster.kubeconfig, bare_cluster.etcd, bare_cluster.apiserver, log_in(bare_cluster, NAME))

    with ExitStack() as stack:
        engage_port, postgres_port = free_port(), free_port()
        shop = Shop(stack.enter_context(running_postgres(postgres_port, "only-for-the-demo")))
        engage = stack.enter_context(running_simulator(engage_port))
        engage.configure(attributes={"label_vip-customers": "boolean"})
        engage.seed(shop.contacts())
        operator = stack.enter_context(kubelet(image, tmp_path, granted, manifests))
        for path in sorted(QUICKSTART.glob("*.yaml")):
            text = path.read_text().replace("18080", str(engage_port)).replace("15432", str(postgres_port))
            bare_cluster.kubectl("apply", "-f", "-", stdin=text)
        bare_cluster.kubectl("wait", "--for=condition=Ready", "segact", "--all", "--timeout=60s")

        assert engage.attribute("label_vip-customers") == shop.vips() != set()
        status = Path(f"/proc/{operator.process.pid}/status").read_text()
        assert "CapEff:\t0000000000000000" in status
        assert "Uid:\t65532" in status
        assert list(operator.ledger.rglob("*.parquet")), "the ledger is on the volume"
    assert not [event for event in granted.asked() if event["responseStatus"]["code"] in (401, 403)]


def test_the_image_can_do_what_the_pod_is_asked_for(image: Path, tmp_path: Path) -> None:
    """`kubectl exec … voyado-operator contact ID`; and there is nothing to log in with."""
    ledger = tmp_path / "ledger"
    ledger.mkdir()
    tmp_path.chmod(0o755)
    container = Container(tmp_path / "root", image, {"/var/lib/voyado-operator": ledger})
    contact = container.command(
        "/opt/voyado-operator/bin/voyado-operator", "contact", "2f6b8a0e-0000-4000-8000-000000000001"
    )
    shell = container.command("/bin/sh", "-c", "true")

    done = subprocess.run(contact, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "no ledger has a record of this contact\n"), done.stderr
    assert subprocess.run(shell, capture_output=True).returncode != 0
