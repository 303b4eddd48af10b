"""Every rule of the CRDs, on a real kube-apiserver: one manifest that it takes and one that it refuses.

`voyado-operator check` must come to the same verdicts without one.
"""

import json
from collections.abc import Callable, Iterator

import pytest
import yaml
from kubernetes import client, config
from voyado_operator.api.common import GROUP, VERSION, Kind

from tests.checking import refusals
from tests.crd_rules import ACTIVATION, CASES, TEXTS, manifest

Answer = Callable[[str], str]


@pytest.fixture(scope="module")
def answer(cluster) -> Iterator[Answer]:
    """What the API server says against a manifest; asked as kubectl asks, at a tenth of its time."""
    with config.new_client_from_config(str(cluster.kubeconfig)) as api:
        create = client.CustomObjectsApi(api).create_namespaced_custom_object

        def asked(text: str) -> str:
            given = yaml.safe_load(text)
            where = (GROUP, VERSION, "default", Kind(given["kind"]).plural)
            try:
                create(*where, given, dry_run="All", field_validation="Strict")
            except client.ApiException as error:
                return str(json.loads(error.body)["message"])
            return ""

        yield asked


@pytest.mark.parametrize(("base", "accepted", "refused", "message"), CASES)
def test_rule(answer, base, accepted, refused, message):
    assert not answer(manifest(base, accepted))
    assert message in answer(manifest(base, refused))
    assert not refusals(manifest(base, accepted))
    assert refusals(manifest(base, refused))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_the_same_verdict_without_a_cluster(cluster, text):
    answer = cluster.try_kubectl("apply", "--dry-run=server", "-f", "-", stdin=text)
    said = refusals(text)
    assert bool(said) == bool(answer.returncode), f"the API server: {answer.stderr or answer.stdout}; check: {said}"


def test_activations_can_be_selected_by_their_connection(own_cluster):
    cluster = own_cluster  # without an operator in it
    cluster.kubectl("apply", "-f", "-", stdin=manifest(ACTIVATION, {}))
    listed = cluster.kubectl("get", "segact", "--field-selector=spec.connectionRef.name=engage", "-o", "name")
    assert listed.split() == ["segmentactivation.voyado-operator.io/vip"]
    assert not cluster.kubectl("get", "segact", "--field-selector=spec.connectionRef.name=other", "-o", "name")
    assert cluster.kubectl("get", "segact", "vip", "-o", "jsonpath={.status}") == '{"observedGeneration":-1}'
    cluster.kubectl("delete", "segact", "vip")
