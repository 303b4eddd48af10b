"""Every rule of the CRDs, on a real kube-apiserver: one manifest that it takes and one that it refuses.

`voyado-operator check` must come to the same verdicts without one.
"""

import pytest

from tests.checking import refusals
from tests.crd_rules import ACTIVATION, CASES, TEXTS, manifest


@pytest.mark.parametrize(("base", "accepted", "refused", "message"), CASES)
def test_rule(cluster, base, accepted, refused, message):
    cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=manifest(base, accepted))
    answer = cluster.try_kubectl("apply", "--dry-run=server", "-f", "-", stdin=manifest(base, refused))
    assert answer.returncode
    assert message in answer.stderr
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
