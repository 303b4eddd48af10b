"""The commands of docs/upgrade.md do what the page says, with the chart on a real API server."""

import os
import re
import subprocess
from pathlib import Path

from tests.controlplane.build import BIN as CONTROL_PLANE
from tests.controlplane.processes import ControlPlane
from tests.crd_rules import ACTIVATION, manifest
from tests.tools.build import BIN as TOOLS
from tests.tools.chart import NAME

ROOT = Path(__file__).parents[2]
UPGRADE, BACK, UNINSTALL, WIPE = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "upgrade.md").read_text(), re.DOTALL)
NAMESPACE = f"--namespace={NAME}"


def test_what_the_commands_keep_and_what_they_take(bare_cluster: ControlPlane, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    for folder in ("helm", "crds"):
        (clone / folder).symlink_to(ROOT / folder)
    (clone / "values.yaml").write_text("log: {level: DEBUG}\n")
    path = f"{TOOLS}:{CONTROL_PLANE}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "HOME": str(tmp_path), "KUBECONFIG": str(bare_cluster.kubeconfig)}

    def sh(command: str) -> None:
        done = subprocess.run(["bash", "-euc", command], cwd=clone, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def found(kind: str) -> list[str]:
        return bare_cluster.kubectl("get", kind, "--all-namespaces", "-o", "name").split()

    sh(f"helm install {NAME} helm/{NAME} {NAMESPACE} --create-namespace")
    bare_cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    bare_cluster.kubectl("apply", "-f", "-", stdin=manifest(ACTIVATION, {}))
    bare_cluster.kubectl(
        "create", "secret", "generic", "voyado-operator-hash-key", NAMESPACE
    )  # the operator's first act
    activations, claims = found("segact"), found("pvc")
    assert activations
    assert claims

    sh(UPGRADE)
    assert "DEBUG" in bare_cluster.kubectl("get", "deploy", NAME, NAMESPACE, "-o", "yaml")
    sh(BACK)
    assert found("segact") == activations
    sh(UNINSTALL)
    assert (found("deploy"), found("segact"), found("pvc")) == ([], activations, claims)

    sh(f"helm install {NAME} helm/{NAME} {NAMESPACE}")
    assert found("deploy")
    sh(WIPE)
    assert found("deploy") == []
    assert "voyado-operator.io" not in bare_cluster.kubectl("get", "crd", "-o", "name")
    assert found("secret") == []
    leaving = bare_cluster.kubectl(
        "get", "pvc", "--all-namespaces", "-o", "jsonpath={.items[*].metadata.deletionTimestamp}"
    )
    assert leaving or not found("pvc")
