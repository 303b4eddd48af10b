"""`check` and the rules of the CRDs; tests/cluster/test_crd_rules.py has the API server's verdicts on the same."""

import pytest

from tests.checking import refusals
from tests.crd_rules import CASES, manifest


@pytest.mark.parametrize(("base", "accepted", "refused", "message"), CASES)
def test_rule(base, accepted, refused, message):
    assert not refusals(manifest(base, accepted))
    assert refusals(manifest(base, refused))
