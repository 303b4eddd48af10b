"""Whatever stands in a manifest, `check` says what is wrong with it, and never breaks."""

import copy
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checking import findings
from tests.crd_rules import ACTIVATION, CONNECTION, GOVERNANCE, OPT_OUT, SQL

FULL = copy.deepcopy(ACTIVATION)
FULL["spec"] |= {
    "audience": {"sql": SQL, "identifiers": {"contactId": "contact_id"}, "decidedAt": "contact_id"},
    "target": OPT_OUT,
    "governance": {**GOVERNANCE, "reviewBy": "2027-06-30"},
    "schedule": {"cron": "0 6 * * *", "timeZone": "UTC"},
    "guards": {"maxRemovals": "20%", "window": "24h"},
    "drift": {"sample": 5},
}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "engage"}, "stringData": {"apiKey": "x"}}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    changed = copy.deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = by
    return changed


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_value_at_any_place(data):
    manifests = []
    for base in (FULL, CONNECTION, SECRET):
        place = data.draw(st.sampled_from(places(base)))
        manifests.append(replaced(base, place, data.draw(VALUES)))
    findings(*(yaml.safe_dump(one) for one in manifests), yaml.safe_dump(FULL))


@settings(max_examples=100, deadline=None)
@given(cut=st.integers(min_value=0), junk=st.text(alphabet="{}[]&*!|>:-#\"'\n\t ab", max_size=6))
def test_any_damage_to_the_text(cut, junk):
    text = yaml.safe_dump(FULL)
    cut %= len(text)
    findings(text[:cut] + junk + text[cut:])
