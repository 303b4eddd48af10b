"""Puts helm, promtool and prometheus into .cache/tools/bin: `python -m tests.tools.build`.

The chart, the rules and the dashboards are checked by the real tools, built from their Go modules as the control plane.
"""

from pathlib import Path

from tests.controlplane.gobuild import Programs

HERE = Path(__file__).parent
BIN = HERE.parents[1] / ".cache" / "tools" / "bin"
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


if __name__ == "__main__":
    main()
