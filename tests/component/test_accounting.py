"""Item by item, whatever Engage does: what is called accepted is done, and nothing is counted twice or forgotten."""

import asyncio
import uuid
from typing import Any

import pytest
from engage_simulator.bulk import SHAPES
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from voyado_operator.domain.delivery import Account, Operation, Result
from voyado_operator.engage.pool import EngagePool
from voyado_operator.engage.transport import Patience
from voyado_operator.targets import bulk
from voyado_operator.targets.label_attribute import LabelAttribute

from tests.component.observing import CONNECTION, Observed
from tests.engage import EngageAdmin

HURRY = Patience(attempts=2, first_wait=0.001, longest_wait=0.002, total=5)
KINDS = ["resetBefore", "resetAfter", "garbage"]
SILENCE_THEN_REFUSED: list[dict[str, Any]] = [
    {"kind": "resetAfter", "method": "PATCH", "times": 1},
    {"kind": "status", "status": 401, "times": 1},
]
faults = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(KINDS),
            "method": st.sampled_from(["PATCH", "GET"]),
            "path": st.sampled_from(["bulk$", "status$", "contacts/[0-9a-f-]{36}$"]),
            "times": st.integers(1, 12),
        }
    )
    | st.fixed_dictionaries(
        {
            "kind": st.just("status"),
            "status": st.sampled_from([400, 401, 404, 409, 422, 500, 503]),
            "path": st.sampled_from(["bulk$", "status$", "contacts/[0-9a-f-]{36}$"]),
            "retryAfter": st.just(0),
            "times": st.integers(1, 12),
        }
    ),
    max_size=3,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    faults=faults,
    shape=st.sampled_from(SHAPES),
    contacts=st.integers(1, 30),
    gone=st.integers(0, 5),
    one=st.booleans(),
)
@example(faults=[], shape="counts", contacts=24, gone=1, one=False)
@example(faults=SILENCE_THEN_REFUSED, shape="counts", contacts=3, gone=0, one=True)
@example(faults=SILENCE_THEN_REFUSED, shape="counts", contacts=24, gone=0, one=False)
def test_every_contact_is_accounted_for_once(
    engage: EngageAdmin,
    monkeypatch: pytest.MonkeyPatch,
    faults: list[dict[str, Any]],
    shape: str,
    contacts: int,
    gone: int,
    one: bool,
) -> None:
    monkeypatch.setattr(bulk, "PATIENCE", 0.02)
    # Where a status tells of nothing at all, 20 rows stand for the batch; here nothing is left to luck.
    monkeypatch.setattr(bulk, "READ_BACK", 30 if shape == "opaque" else 20)
    people = [str(uuid.uuid4()) for _ in range(contacts)]
    engage.seed([{"id": person} for person in people[gone:]])
    engage.configure(bulkStatusShape=shape)
    engage.faults(*faults)

    async def apply() -> Any:
        pool = EngagePool(Observed(), "0", lambda: True, HURRY)
        client = pool.client(engage.url, engage.api_key, None, 200, CONNECTION)
        label = LabelAttribute(client, "label_vip", 200 if one else bulk.MOST_IN_FLIGHT)
        try:
            return await label.apply(Operation.ADD, people)
        finally:
            await pool.close()

    delivered = asyncio.run(apply())
    engage.faults()

    told = [*delivered.accepted, *(outcome.contact_id for outcome in delivered.others)]
    assert len(told) == len(set(told)), "nobody twice"
    assert delivered.stopped is not None or set(told) == set(people), "nobody forgotten"
    account = Account()
    account.record(Operation.ADD, len(delivered.accepted), delivered.others)
    assert account.sent == sum(account.total(result) for result in Result) == len(told)
    done = engage.attribute("label_vip") & set(people)
    assert set(delivered.accepted) <= done, "accepted is done"
    unknown = {one.contact_id for one in delivered.others if one.result is Result.UNKNOWN}
    assert done <= unknown.union(delivered.accepted), "refused, or not sent, is not done"
