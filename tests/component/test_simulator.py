"""The simulator is as strict as engage-api.md says the tenant is: each rule once kept and once broken."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.engage import EngageAdmin, running_simulator

HEADERS = {"apikey": "simulated", "User-Agent": "tests/1.0", "Content-Type": "application/json"}
ANNA, BERT, CLEO, NOBODY = (f"{number:08x}-0000-4000-8000-000000000000" for number in range(4))


@pytest.fixture
def engage() -> Iterator[EngageAdmin]:
    with running_simulator() as admin:
        admin.configure(attributes={"label_vip": "boolean"})
        admin.seed(
            [
                {"id": ANNA, "email": "anna@example.com", "preferences": {"acceptsEmail": True, "acceptsSms": True}},
                {"id": BERT, "email": "shared@example.com"},
                {"id": CLEO, "email": "shared@example.com"},
            ]
        )
        yield admin


@pytest.fixture
def http(engage: EngageAdmin) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{engage.url}/api/v3", headers=HEADERS) as client:
        yield client


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("apikey", "simulated", 200),
        ("apikey", "another", 401),
        ("apikey", "", 401),
        ("User-Agent", "AcmePOS/1.5", 200),
        ("User-Agent", "nothing", 400),
        ("Content-Type", "application/json", 200),
        ("Content-Type", "text/plain", 500),
    ],
)
def test_headers_are_required(http: httpx.Client, header: str, value: str, status: int) -> None:
    answer = http.get("/consents", headers={header: value})

    assert answer.status_code == status
    if header == "Content-Type" and status == 500:
        assert answer.json()["message"] == "An error has occurred"


def test_more_than_the_limit_in_a_second_is_refused(engage: EngageAdmin, http: httpx.Client) -> None:
    engage.configure(rateLimit=5, retryAfter=2)

    answers = [http.get("/consents") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("ANNA@example.com", 200, None),
        ("nobody@example.com", 404, "ContactNotFound"),
        ("no address", 400, "InvalidEmailAddress"),
        ("shared@example.com", 409, "MultipleMatches"),
    ],
)
def test_a_look_up_by_e_mail(http: httpx.Client, address: str, status: int, code: str | None) -> None:
    answer = http.get("/contacts/id", params={"email": address})

    assert answer.status_code == status
    if code is None:
        assert answer.json() == ANNA
    else:
        assert answer.json()["errorCode"] == code
    if status == 409:
        assert set(answer.json()["messageDetails"]["multipleMatchesFound"]) == {BERT, CLEO}


@pytest.mark.parametrize(
    ("contact", "changes", "status"),
    [
        (ANNA, {"label_vip": True}, 200),
        (ANNA, {"label_vip": "yes"}, 422),
        (ANNA, {"unheard_of": True}, 422),
        (ANNA, {"preferences": {"acceptsEmail": False}}, 200),
        (ANNA, {"preferences": {"acceptsPigeons": False}}, 422),
        (ANNA, {"consents": [{"id": "memberTerms", "value": True}]}, 200),
        (ANNA, {"consents": [{"id": "unheardOf", "value": True}]}, 422),
        (ANNA, {}, 400),
        (NOBODY, {"label_vip": True}, 404),
        ("not-a-guid", {"label_vip": True}, 400),
    ],
)
def test_an_update_is_taken_or_refused_as_a_whole(
    http: httpx.Client, contact: str, changes: dict[str, Any], status: int
) -> None:
    before = http.get(f"/contacts/{ANNA}").json()

    answer = http.patch(f"/contacts/{contact}", json=changes)

    assert answer.status_code == status
    assert (http.get(f"/contacts/{ANNA}").json() != before) == (status == 200)


def test_an_update_changes_what_it_names_and_nothing_else(http: httpx.Client) -> None:
    http.patch(f"/contacts/{ANNA}", json={"preferences": {"acceptsEmail": False}})

    assert http.get(f"/contacts/{ANNA}").json()["preferences"] == {
        "acceptsEmail": False,
        "acceptsSms": True,
        "acceptsPostal": False,
    }


def finished(http: httpx.Client, batch_id: str) -> dict[str, Any]:
    while True:
        status: dict[str, Any] = http.get("/contacts/bulk/status", params={"batchId": batch_id}).json()
        if status["status"] != "Processing":
            return status


def test_bulk_works_later_and_tells_of_each_row(engage: EngageAdmin, http: httpx.Client) -> None:
    unknown = NOBODY
    rows = [{"contactId": ANNA, "label_vip": True}, {"contactId": unknown, "label_vip": True}]

    batch_id = http.patch("/contacts/bulk", json=rows).json()
    status = finished(http, batch_id)

    assert (status["succeeded"], status["failed"]) == (1, 1)
    assert status["errors"] == [{"index": 1, "contactId": unknown, "errorCode": "ContactNotFound"}]
    assert engage.attribute("label_vip") == {ANNA}


@pytest.mark.parametrize(("rows", "status"), [(0, 400), (1, 200), (4000, 200), (4001, 400)])
def test_a_batch_has_1_to_4000_rows(http: httpx.Client, rows: int, status: int) -> None:
    batch = [{"contactId": ANNA, "label_vip": True}] * rows
    assert http.patch("/contacts/bulk", json=batch).status_code == status


def test_a_batch_that_is_held_back_is_worked_on_when_it_is_let_go(engage: EngageAdmin, http: httpx.Client) -> None:
    engage.configure(bulkHolds=True)
    rows = [{"contactId": one, "label_vip": True} for one in (ANNA, NOBODY)]
    first, second = (http.patch("/contacts/bulk", json=[row]).json() for row in rows)
    engage.configure(bulkHolds=False)
    assert engage.batches() == [first, second]

    engage.let_go(second)

    assert finished(http, second)["failed"] == 1
    assert http.get("/contacts/bulk/status", params={"batchId": first}).json()["status"] == "Processing"
    assert engage.attribute("label_vip") == set()
    engage.let_go(first)
    assert engage.attribute("label_vip") == {ANNA}


def test_an_unknown_batch_has_no_status(http: httpx.Client) -> None:
    assert http.get("/contacts/bulk/status", params={"batchId": "none"}).status_code == 404


@pytest.mark.parametrize(("kind", "is_done"), [("resetBefore", False), ("resetAfter", True)])
def test_a_connection_breaks_before_or_after_the_work(
    engage: EngageAdmin, http: httpx.Client, kind: str, is_done: bool
) -> None:
    engage.faults({"kind": kind, "method": "PATCH", "times": 1})

    with pytest.raises(httpx.TransportError):
        http.patch(f"/contacts/{ANNA}", json={"label_vip": True})

    assert (ANNA in engage.attribute("label_vip")) is is_done
    assert http.patch(f"/contacts/{ANNA}", json={"label_vip": True}).status_code == 200, "once is once"


def test_a_request_is_held_until_the_faults_are_set_anew(engage: EngageAdmin, http: httpx.Client) -> None:
    engage.faults({"kind": "hold", "method": "PATCH"})
    with ThreadPoolExecutor() as threads:
        held = threads.submit(http.patch, f"/contacts/{ANNA}", json={"label_vip": True})
        with pytest.raises(TimeoutError):
            held.result(timeout=0.2)
        assert engage.attribute("label_vip") == set()

        engage.faults()
        assert held.result(timeout=10).status_code == 200
    assert engage.attribute("label_vip") == {ANNA}


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "garbage"}])
def test_other_faults(engage: EngageAdmin, http: httpx.Client, fault: dict[str, Any]) -> None:
    engage.faults({**fault, "path": "/consents"})

    answer = http.get("/consents")

    assert answer.status_code == fault.get("status", 200)
    assert not answer.headers.get("Content-Type", "").startswith("application/json")
    assert http.get("/contacts/count").json() == 3, "other paths go on"


def test_a_request_that_creates_a_contact_does_not_go_unnoticed() -> None:
    with pytest.raises(AssertionError, match="creates a contact"), running_simulator() as engage:
        httpx.post(f"{engage.url}/api/v3/contacts", json={"id": ANNA}, headers=HEADERS)
