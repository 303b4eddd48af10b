"""Every rule of the CRDs, on a real kube-apiserver: one manifest that it takes and one that it refuses.

`voyado-operator check` must come to the same verdicts without one.
"""

import ssl
from base64 import b64decode
from collections.abc import Callable, Iterator

import httpx
import pytest
import yaml

from tests.checking import refusals
from tests.crd_rules import ACTIVATION, CASES, TEXTS, manifest

Answer = Callable[[str], str]
PLURALS = {"SegmentActivation": "segmentactivations", "VoyadoConnection": "voyadoconnections"}


@pytest.fixture(scope="module")
def answer(cluster) -> Iterator[Answer]:
    """What the API server says against a manifest; asked as kubectl asks, at a tenth of its time."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    server, token = config["clusters"][0]["cluster"], config["users"][0]["user"]["token"]
    trusted = ssl.create_default_context(cadata=b64decode(server["certificate-authority-data"]).decode())
    url = f"{server['server']}/apis/voyado-operator.io/v1alpha1/namespaces/default"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/yaml"}
    with httpx.Client(verify=trusted, headers=headers, params={"dryRun": "All", "fieldValidation": "Strict"}) as client:

        def asked(text: str) -> str:
            given = client.post(f"{url}/{PLURALS[yaml.safe_load(text)['kind']]}", content=text)
            return "" if given.is_success else str(given.json()["message"])

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
