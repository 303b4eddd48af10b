"""What docs/gitops.md says of health is what the Lua gives, for every reason that the operator knows."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from voyado_operator.domain.errors import Retry, Stall
from voyado_operator.reconcile.conditions import Verdict, conditions, fine, progressing, retrying, stalled, verdict_of

from tests.cluster.world import manifest
from tests.gitops import argocd

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "gitops.md").read_text()
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
VERDICTS = [
    fine("Succeeded", "10 members"),
    fine("Planned", "3 would enter"),
    fine("Suspended", "the VoyadoConnection engage is suspended"),
    fine("PartiallyApplied", "1 rejected"),
    retrying("PartiallyApplied", "1 unknown"),
    progressing("working on generation 2"),
    stalled("GuardBlocked", "maxRemovals"),
    *(verdict_of(kind("why")) for family in (Retry, Stall) for kind in family.__subclasses__()),
]
HEALTHS = ("Healthy", "Progressing", "Degraded", "Suspended")


def told(health: str) -> set[str]:
    """The reasons in the guide's row of that health."""
    [row] = re.findall(rf"^\| (.*) \| {health} \|$", GUIDE, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", row))


def shown(verdict: Verdict) -> dict[str, str]:
    """The health of an activation that the operator judges so."""
    judged = conditions(verdict, [], 2, datetime.now(UTC))
    activation = manifest("SegmentActivation", "vip", {"schedule": {"every": "1h"}})
    activation["metadata"]["generation"] = 2
    return argocd.health(
        activation | {"status": {"observedGeneration": 2, "conditions": [one.manifest() for one in judged]}}
    )


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: f"{verdict.reason}-{verdict.ready}")
def test_every_verdict_has_the_health_that_the_guide_tells(verdict: Verdict) -> None:
    found = shown(verdict)

    assert found["message"] == verdict.message
    assert verdict.reason in told(found["status"])


def test_the_guide_tells_of_every_reason_in_the_runbook() -> None:
    reasons = set(re.findall(r"^\| `(\w+)` \|", RUNBOOK, re.MULTILINE))

    assert reasons == {verdict.reason for verdict in VERDICTS}
    assert set().union(*map(told, HEALTHS)) == reasons


@pytest.mark.parametrize("health", HEALTHS)
def test_the_guide_tells_of_nothing_else(health: str) -> None:
    assert told(health) == {verdict.reason for verdict in VERDICTS if shown(verdict)["status"] == health}


def test_the_guide_links_to_what_exists() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / link).exists(), link


def test_the_examples_name_the_chart() -> None:
    for example in ("argocd/operator.yaml", "flux/operator.yaml"):
        [chart] = re.findall(
            r"(?:path|chart): \.?/?(\S*voyado-operator)$", (ROOT / "examples" / example).read_text(), re.M
        )
        assert (ROOT / chart).is_dir(), f"{example}: {chart}"
