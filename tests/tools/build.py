"""Puts helm, promtool and prometheus into .cache/tools/bin: `python -m tests.tools.build`.

The chart, the rules and the dashboards are checked by the real tools, built from their Go modules as the control plane;
and by the real CRDs of the Prometheus Operator, which its Go module has in a folder.
"""

import json
import shutil
from pathlib import Path

from tests.controlplane.gobuild import Programs, go

HERE = Path(__file__).parent
BIN = HERE.parents[1] / ".cache" / "tools" / "bin"
MONITORING_CRDS = BIN.parent / "crds"
HELM = Programs(HERE / "helm", {"helm": "helm.sh/helm/v4/cmd/helm"}, ("-ldflags", "-s -w"))
# The clouds' service discoveries are two thirds of what would be compiled.
PROMETHEUS = Programs(
    HERE / "prometheus",
    {name: f"github.com/prometheus/prometheus/cmd/{name}" for name in ("prometheus", "promtool")},
    ("-tags", "remove_all_sd", "-ldflags", "-s -w"),
)


def main() -> None:
    HELM.install(BIN, "Helm: building from source, once (about 2 minutes on 2 cores)")
    PROMETHEUS.install(BIN, "Prometheus and promtool: building from source, once (about 2 minutes on 2 cores)")
    fetch_monitoring_crds()


def fetch_monitoring_crds() -> None:
    if MONITORING_CRDS.exists():
        return
    module = "github.com/prometheus-operator/prometheus-operator"
    fetched = Path(json.loads(go("mod", "download", "-json", module, folder=HERE / "crds"))["Dir"])
    MONITORING_CRDS.mkdir(parents=True)
    for kind in ("podmonitors", "prometheusrules", "servicemonitors"):
        shutil.copy(fetched / "example/prometheus-operator-crd" / f"monitoring.coreos.com_{kind}.yaml", MONITORING_CRDS)


if __name__ == "__main__":
    main()
