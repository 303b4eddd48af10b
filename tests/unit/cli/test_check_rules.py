"""`check` and the rules of the CRDs; tests/cluster/test_crd_rules.py has the API server's verdicts on the same."""

import pytest

from tests.checking import findings, refusals
from tests.crd_rules import ACTIVATION, CASES, manifest


@pytest.mark.parametrize(("base", "accepted", "refused", "message"), CASES)
def test_rule(base, accepted, refused, message):
    assert not refusals(manifest(base, accepted))
    assert refusals(manifest(base, refused))


def test_a_problem_has_its_line_and_its_field():
    [found] = findings(manifest(ACTIVATION, {"historyLimit": 0}))
    text = manifest(ACTIVATION, {"historyLimit": 0}).splitlines()
    assert text[found.line - 1] == "  historyLimit: 0"
