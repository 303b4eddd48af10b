"""What the documents say is tested is tested."""

import re
from itertools import product
from pathlib import Path

import pytest

from tests.component.installation import TARGETS
from tests.component.test_every_fault import DAMAGES, FAULTS, KILLED_AT

ROOT = Path(__file__).parents[2]
RELIABILITY = ROOT / "docs" / "reliability.md"


def test_the_matrix_has_every_fault_and_every_target() -> None:
    faults = {"test_engage": FAULTS, "test_killed": KILLED_AT, "test_ledger_lost": [one.__name__ for one in DAMAGES]}
    ids = [f"{test}[{one}-{kind}]" for test, ones in faults.items() for one, kind in product(ones, TARGETS)]
    ids += [f"test_lease_lost[{kind}]" for kind in TARGETS]

    assert sorted(re.findall(r"`(test_\w+\[[^`]+\])`", RELIABILITY.read_text())) == sorted(ids)


@pytest.mark.parametrize("page", [RELIABILITY, ROOT / "SECURITY.md"], ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"`((?:cluster|component|faults|unit)/[\w/]+\.py)(?:::(\w+))?[^`]*`", page.read_text())
    assert named
    for file, test in named:
        assert f"def {test}" in (ROOT / "tests" / file).read_text(), f"{page.name}: {file}::{test}"
