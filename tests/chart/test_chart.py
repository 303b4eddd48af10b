"""Whatever Helm renders is what the API server accepts; and a value that makes no sense is refused by its name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controlplane.processes import ControlPlane, control_plane
from tests.tools.build import MONITORING_CRDS
from tests.tools.chart import CHART, Manifest, Refused, helm, installation, rendered

VALUES = sorted((CHART / "ci").glob("*.yaml"))
CRDS = CHART.parents[1] / "crds"


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    """With the kinds of the Prometheus Operator, and nothing of ours."""
    with control_plane() as running:
        running.kubectl("apply", "--server-side", "-f", str(MONITORING_CRDS))
        running.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        yield running


def only(manifests: list[Manifest], kind: str) -> Manifest:
    [found] = [one for one in manifests if one["kind"] == kind]
    return found


def kinds(values: Manifest | None = None) -> set[str]:
    return {one["kind"] for one in rendered(values)}


def container(values: Manifest | None = None) -> Any:
    return only(rendered(values), "Deployment")["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.name.removesuffix("-values.yaml"))
def test_the_api_server_accepts_every_object(cluster: ControlPlane, values: Path) -> None:
    assert helm("lint", str(CHART), "--values", str(values), "--quiet") is not None
    manifests = rendered(yaml.safe_load(values.read_text()))

    said = cluster.kubectl(
        "apply",
        "--dry-run=server",
        "--server-side",
        "--validate=strict",
        "-f",
        "-",
        stdin=yaml.safe_dump_all(manifests),
    )

    assert len(said.splitlines()) == len(manifests) > 3


def test_the_crds_are_the_generated_ones() -> None:
    generated = {yaml.safe_load(path.read_text())["metadata"]["name"]: path for path in CRDS.glob("*.yaml")}
    found = {one["metadata"]["name"]: one for one in rendered() if one["kind"] == "CustomResourceDefinition"}

    assert found.keys() == generated.keys()
    for name, path in generated.items():
        assert found[name]["spec"] == yaml.safe_load(path.read_text())["spec"], "run `make generate`"
        assert found[name]["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_crds_can_be_left_out_or_let_go() -> None:
    assert "CustomResourceDefinition" not in kinds({"crds": {"enabled": False}})
    crd = next(one for one in rendered({"crds": {"keep": False}}) if one["kind"] == "CustomResourceDefinition")
    assert "annotations" not in crd["metadata"]


def test_the_pod_may_do_nothing_but_its_work() -> None:
    pod = only(rendered(), "Deployment")["spec"]["template"]["spec"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["enableServiceLinks"] is False, "a Service's variables must not pass for settings"
    assert pod["terminationGracePeriodSeconds"] > 30, "a batch takes 20 s to end, its cancellation 10 s"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"maxConcurrentRun": 3}, "'maxConcurrentRun' not allowed"),
        ({"terminationGracePeriodSeconds": 10}, "/terminationGracePeriodSeconds"),
        ({"ledger": {"url": "file:///data"}}, "/ledger/url"),
        ({"image": {"digest": "latest"}}, "/image/digest"),
        ({"log": {"level": "info"}}, "/log/level"),
        ({"serviceAccount": {"create": False}}, "serviceAccount.name"),
        (
            {"metrics": {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}},
            "podMonitor and serviceMonitor would scrape everything twice",
        ),
        (
            {"metrics": {"renderMode": "failIfMissing", "podMonitor": {"enabled": True}}},
            "the API server has no PodMonitor",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_value_that_makes_no_sense(values: Manifest, said: str) -> None:
    with pytest.raises(Refused, match=said):
        rendered(values)


def test_monitoring_is_left_out_where_the_cluster_has_no_such_kind() -> None:
    wanted = {"podMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}
    assert not kinds({"metrics": wanted}) & {"PodMonitor", "PrometheusRule"}
    assert kinds({"metrics": wanted | {"renderMode": "render"}}) >= {"PodMonitor", "PrometheusRule"}


def test_the_scrape_keeps_our_namespace_label() -> None:
    """Prometheus would call it exported_namespace, and no rule or dashboard would find it."""
    pods = rendered({"metrics": {"renderMode": "render", "podMonitor": {"enabled": True}}})
    services = rendered({"metrics": {"renderMode": "render", "serviceMonitor": {"enabled": True}}})

    assert only(pods, "PodMonitor")["spec"]["podMetricsEndpoints"][0]["honorLabels"] is True
    assert only(services, "ServiceMonitor")["spec"]["endpoints"][0]["honorLabels"] is True


def test_every_alert_links_to_a_page_of_the_runbook() -> None:
    enabled = {"enabled": True, "runbookBaseUrl": "https://wiki.example.com/"}
    rule = only(rendered({"metrics": {"renderMode": "render", "prometheusRule": enabled}}), "PrometheusRule")
    alerts = [one for group in rule["spec"]["groups"] for one in group["rules"] if "alert" in one]

    assert alerts
    for alert in alerts:
        page = alert["annotations"]["runbook_url"].removeprefix("https://wiki.example.com/")
        assert (CHART.parents[1] / page).is_file(), alert["alert"]
        assert "$labels" in alert["annotations"]["summary"] or "operator" in alert["annotations"]["summary"].lower()


def test_the_ledger_outlives_the_chart() -> None:
    claim = only(rendered(), "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert "PersistentVolumeClaim" not in kinds({"ledger": {"url": "s3://audiences/ledger"}})
    assert "PersistentVolumeClaim" not in kinds({"ledger": {"persistence": {"existingClaim": "mine"}}})


def test_what_is_off_by_default() -> None:
    assert not kinds() & {"NetworkPolicy", "PodDisruptionBudget", "ValidatingAdmissionPolicy", "ConfigMap", "Service"}


def test_one_apply_installs(cluster: ControlPlane) -> None:
    """`make install.yaml`: the file that a release has."""
    said = cluster.kubectl("apply", "--server-side", "-f", "-", stdin=installation())

    assert "namespace/voyado-operator serverside-applied" in said
    cluster.kubectl("get", "deployment,serviceaccount", "-n", "voyado-operator", "voyado-operator")
