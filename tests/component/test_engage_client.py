"""The client against the simulator: what is retried, what is a contact's own answer, what ends a run."""

import gc
from pathlib import Path

import pytest
from voyado_operator.domain.errors import CredentialsInvalid, EngageUnavailable, LedgerUnavailable
from voyado_operator.domain.matching import MatchStatus
from voyado_operator.engage.answers import ItemAnswer, ItemStatus
from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.limiter import Priority
from voyado_operator.engage.pool import EngagePool
from voyado_operator.engage.transport import Patience

from tests.component.observing import CONNECTION, Observed
from tests.engage import EngageAdmin

VIP = {"label_vip": True}


async def test_a_look_up_tells_the_four_answers_apart(
    client: EngageClient, engage: EngageAdmin, people: list[str]
) -> None:
    engage.seed([{"id": one, "email": "shared@example.com"} for one in people[:2]])

    assert await client.find("person-0@example.com") == (MatchStatus.MATCHED, (people[0],))
    assert await client.find("stranger@example.com") == (MatchStatus.UNMATCHED, ())
    assert await client.find("nonsense") == (MatchStatus.INVALID, ())
    status, several = await client.find("shared@example.com")
    assert (status, set(several)) == (MatchStatus.AMBIGUOUS, set(people[:2]))


async def test_an_address_with_special_characters_arrives_as_it_is(client: EngageClient, engage: EngageAdmin) -> None:
    engage.seed([{"id": "2f6b8a0e-0000-4000-8000-000000000001", "email": "a+b&c=d%40é@example.com"}])

    status, _ = await client.find("a+b&c=d%40é@example.com")

    assert status is MatchStatus.MATCHED


@pytest.mark.parametrize("code", [400, 404])
async def test_an_error_about_us_is_no_answer_about_an_address(
    client: EngageClient, engage: EngageAdmin, code: int
) -> None:
    """Or a tenant with another path would look like one that knows nobody."""
    if code == 400:
        engage.faults({"kind": "status", "status": 400, "path": "/contacts/id"})
        with pytest.raises(EngageUnavailable, match="status 400"):
            await client.find("person@example.com")
    else:  # an empty 404 is documented as possible
        engage.faults({"kind": "status", "status": 404, "path": "/contacts/id"})
        assert await client.find("person@example.com") == (MatchStatus.UNMATCHED, ())


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_passes_is_tried_again(
    client: EngageClient, engage: EngageAdmin, observed: Observed, status: int
) -> None:
    engage.faults({"kind": "status", "status": status, "times": 2})

    assert await client.consents() == [("memberTerms", "Member terms")]

    assert observed.codes == {("list consents", str(status)): 2, ("list consents", "200"): 1}


@pytest.mark.parametrize("kind", ["resetBefore", "resetAfter"])
async def test_a_broken_connection_is_tried_again(client: EngageClient, engage: EngageAdmin, kind: str) -> None:
    engage.faults({"kind": kind, "times": 2})
    assert await client.consents()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_nothing_is_sent_again_behind_the_transports_back(
    client: EngageClient, engage: EngageAdmin, people: list[str], method: str
) -> None:
    """aiohttp would repeat a GET, PUT or DELETE by itself when a kept connection breaks."""
    engage.configure(labelOperation=True)
    label = "/labels/vip" if method in ("PUT", "DELETE") else ""
    assert await client.consents()
    engage.faults({"kind": "resetAfter", "times": 1})

    await client.call(method, f"/api/v3/contacts/{people[0]}{label}", {"label_vip": True})

    assert client.requests == engage.requests()["total"] == 3


async def test_attempts_end(client: EngageClient, engage: EngageAdmin) -> None:
    engage.faults({"kind": "status", "status": 503})

    with pytest.raises(EngageUnavailable, match="status 503"):
        await client.consents()

    assert engage.requests()["total"] == 3


async def test_the_first_attempt_counts_in_the_time_for_all(
    engage: EngageAdmin, observed: Observed, people: list[str]
) -> None:
    patience = Patience(attempts=3, first_wait=0.001, total=0.04, for_an_answer=0.05)
    pool = EngagePool(observed, "0.0.0", lambda: True, patience)
    client = pool.client(engage.url, engage.api_key, None, 200, CONNECTION)
    engage.faults({"kind": "slowAnswer", "seconds": 0.2})

    with pytest.raises(EngageUnavailable, match="SocketTimeoutError"):
        await client.read(people[0])

    assert engage.requests()["total"] == 1
    await pool.close()


async def test_what_is_answered_leaves_nothing_to_collect(client: EngageClient, people: list[str]) -> None:
    """Cycles of 1,700 requests held up the event loop for 80 ms."""
    await client.read(people[0])
    gc.collect()
    gc.disable()
    try:
        for contact_id in people:
            await client.read(contact_id)
        assert gc.collect() < len(people)
    finally:
        gc.enable()


async def test_retry_after_is_obeyed(client: EngageClient, engage: EngageAdmin) -> None:
    engage.faults({"kind": "status", "status": 429, "retryAfter": 0.3, "times": 1})
    before = client.rate

    assert await client.consents()

    assert client.rate <= before
    assert engage.requests()["total"] == 2


async def test_a_429_halves_the_rate(client: EngageClient, engage: EngageAdmin) -> None:
    engage.faults({"kind": "status", "status": 429, "times": 1})
    await client.consents()
    assert client.rate == 100


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_ends_it_at_once(client: EngageClient, engage: EngageAdmin, status: int) -> None:
    engage.faults({"kind": "status", "status": status})

    with pytest.raises(CredentialsInvalid, match=str(status)):
        await client.update("2f6b8a0e-0000-4000-8000-000000000001", VIP, Priority.NORMAL)

    assert engage.requests()["total"] == 1


async def test_an_update_that_arrives_is_done(client: EngageClient, engage: EngageAdmin, people: list[str]) -> None:
    assert await client.update(people[0], VIP, Priority.NORMAL) == ItemAnswer(ItemStatus.DONE)
    assert engage.attribute("label_vip") == {people[0]}


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"unheard": True}, ItemAnswer(ItemStatus.REFUSED, "ValidationError")),
        ({}, ItemAnswer(ItemStatus.REFUSED, "NoData")),
    ],
)
async def test_a_refusal_is_the_contacts_own_and_not_repeated(
    client: EngageClient, engage: EngageAdmin, people: list[str], changes: dict[str, bool], answer: ItemAnswer
) -> None:
    assert await client.update(people[0], changes, Priority.NORMAL) == answer
    assert engage.requests()["writes"] == 1


async def test_a_contact_that_is_gone(client: EngageClient) -> None:
    gone = await client.update("2f6b8a0e-0000-4000-8000-000000000001", VIP, Priority.NORMAL)
    assert gone == ItemAnswer(ItemStatus.NOT_FOUND, "ContactNotFound")


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ({"kind": "garbage"}, "UnreadableAnswer"),
        ({"kind": "resetAfter"}, "NoAnswer"),
        ({"kind": "status", "status": 500}, "NoAnswer"),
    ],
)
async def test_what_may_have_been_done_is_unknown(
    client: EngageClient, engage: EngageAdmin, people: list[str], fault: dict[str, object], detail: str
) -> None:
    engage.faults(fault)
    assert await client.update(people[0], VIP, Priority.NORMAL) == ItemAnswer(ItemStatus.UNKNOWN, detail)


async def test_what_cannot_have_been_done_is_no_result(
    client: EngageClient, engage: EngageAdmin, people: list[str]
) -> None:
    engage.faults({"kind": "status", "status": 503})
    with pytest.raises(EngageUnavailable, match="took no update"):
        await client.update(people[0], VIP, Priority.NORMAL)


@pytest.mark.parametrize(
    "second",
    [{"kind": "status", "status": 401}, {"kind": "status", "status": 409}, {"kind": "status", "status": 422}],
    ids=["key refused", "conflict", "invalid"],
)
async def test_what_an_unanswered_attempt_may_have_done_is_unknown_whatever_the_next_one_says(
    client: EngageClient, engage: EngageAdmin, people: list[str], second: dict[str, object]
) -> None:
    silence = {"kind": "resetAfter", "method": "PATCH", "times": 1}
    engage.faults(silence, second)
    told = await client.update(people[0], VIP, Priority.NORMAL)
    engage.faults(silence, second)
    batch = await client.update_bulk(people[1:], VIP, Priority.NORMAL)

    assert told.status is ItemStatus.UNKNOWN
    assert batch is None
    assert people[0] in engage.attribute("label_vip")


async def test_a_lost_lease_does_not_undo_what_was_sent(
    engage: EngageAdmin, observed: Observed, people: list[str]
) -> None:
    looks = iter([True, True, False])  # before the head and before the body of the first attempt
    pool = EngagePool(observed, "0.0.0", looks.__next__, Patience(attempts=2, first_wait=0.001, longest_wait=0.002))
    client = pool.client(engage.url, engage.api_key, None, 200, CONNECTION)
    engage.faults({"kind": "resetAfter", "times": 1})

    assert (await client.update(people[0], VIP, Priority.NORMAL)).status is ItemStatus.UNKNOWN
    assert people[0] in engage.attribute("label_vip")
    await pool.close()


@pytest.mark.parametrize(
    ("fault", "times_fired"),
    [
        ({"kind": "resetAfter"}, 1),
        ({"kind": "resetBefore"}, 0),
        ({"kind": "status", "status": 408}, 0),
        ({"kind": "status", "status": 500}, 0),
        ({"kind": "status", "status": 504}, 0),
    ],
)
async def test_a_trigger_that_may_have_been_fired_is_not_fired_again(
    client: EngageClient, engage: EngageAdmin, people: list[str], fault: dict[str, object], times_fired: int
) -> None:
    engage.faults({**fault, "times": 1})

    fired = await client.fire("sync", people[0], {"label": "vip", "action": "add"})

    assert fired.status is ItemStatus.UNKNOWN
    assert engage.requests()["total"] == 1
    assert len(engage.fired()) == times_fired


@pytest.mark.parametrize("status", [429, 503])
async def test_a_trigger_that_engage_put_off_is_fired_later(
    client: EngageClient, engage: EngageAdmin, people: list[str], status: int
) -> None:
    engage.faults({"kind": "status", "status": status, "times": 1})

    fired = await client.fire("sync", people[0], {"label": "vip", "action": "add"})

    assert fired == ItemAnswer(ItemStatus.DONE)
    assert len(engage.fired()) == 1


async def test_errors_never_quote_an_address(client: EngageClient, engage: EngageAdmin) -> None:
    engage.faults({"kind": "resetBefore"})

    with pytest.raises(EngageUnavailable) as caught:
        await client.find("person@example.com")

    seen: BaseException | None = caught.value
    while seen is not None:
        assert "person" not in str(seen)
        seen = seen.__cause__ if seen.__cause__ or seen.__suppress_context__ else seen.__context__


async def test_all_clients_of_a_key_share_one_rate(engage: EngageAdmin, observed: Observed) -> None:
    pool = EngagePool(observed, "0.0.0", lambda: True)
    one, other, another_key = (
        pool.client(engage.url, key, None, 50, CONNECTION) for key in ("simulated", "simulated", "different")
    )

    one._transport.limiter.slow_down()

    assert (one.rate, other.rate, another_key.rate) == (25, 25, 50)
    await pool.close()


def test_the_one_post_of_the_client_fires_a_trigger() -> None:
    """Only POST creates, and only PUT replaces; what a manifest's endpoint says goes below an existing contact."""
    package = Path(__file__).parents[2] / "operator" / "voyado_operator"
    client = (package / "engage" / "client.py").read_text()
    [posting] = [line for line in client.splitlines() if '"POST"' in line or '"PUT"' in line or ".post(" in line]
    assert '"fire custom trigger", "POST", path' in posting
    assert 'path = f"{BASE}/automation/customTriggers/' in client


@pytest.mark.parametrize("looks", [[False], [True, False]], ids=["before the head", "before the body"])
async def test_nothing_is_written_without_the_lease_and_everything_can_be_read(
    engage: EngageAdmin, observed: Observed, people: list[str], looks: list[bool]
) -> None:
    pool = EngagePool(observed, "0.0.0", iter(looks).__next__, Patience(first_wait=0.001))
    client = pool.client(engage.url, engage.api_key, None, 200, CONNECTION)

    with pytest.raises(LedgerUnavailable, match="cannot renew its Lease"):
        await client.update(people[0], {"label_vip": True}, Priority.NORMAL)

    assert not isinstance(await client.read(people[0]), ItemAnswer)
    assert engage.requests()["total"] == 1
    assert engage.attribute("label_vip") == set()
    await pool.close()
