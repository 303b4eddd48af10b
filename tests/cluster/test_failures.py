"""What goes wrong is said once, with its reason, and nothing is written or lost."""

from typing import Any

import pytest

from tests.cluster.world import CONNECTIONS, GOVERNANCE, Status, World, condition, ready


@pytest.fixture
def people(world: World) -> list[str]:
    """Thirty members after a first run."""
    people = world.people(30)
    world.connect()
    world.select(people)
    world.start(world.activation())
    world.engage.reset_requests()
    return people


def assert_failed(world: World, status: Status, reason: str, said: str) -> None:
    """Said in the Ready condition, in an Event and as a failed run; nothing was written."""
    assert (ready(status)["status"], ready(status)["reason"]) == ("False", reason)
    assert said in ready(status)["message"]
    assert (status["lastRun"]["outcome"], said in status["lastRun"]["message"]) == ("Failed", True)
    world.await_event(reason, said)
    assert (world.metric("voyado_activation_runs_total", outcome="Failed") or 0) >= 1
    assert world.writes == 0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("selec nothing", "syntax error"),
        ("select contact_id, email from nowhere", "table that does not exist"),
        ("select gone from (select 1 as one) t", "column that does not exist"),
        ("select 1 / (n - n) as contact_id, null as email from generate_series(1, 5) n", "cannot be computed"),
        ("select contact_id from {table}", "has no column 'email'"),
        ("insert into {table} values (null, null) returning contact_id, email", "warehouse failed"),
        ("select pg_sleep(60)::text as contact_id, null as email", "longer than spec.audience.sql.timeout"),
    ],
)
def test_a_query_that_fails_changes_nothing(world: World, people: list[str], query: str, said: str) -> None:
    audience = world.audience(query.format(table=world.table))
    audience["sql"]["timeout"] = "1s"
    world.apply(world.activation(audience=audience))

    status = world.run()

    assert_failed(world, status, "SourceFailed", said)
    assert (condition(status, "Reconciling") or {})["reason"] == "ProgressingWithRetry"
    assert world.labelled == set(people)
    assert status["members"] == 30

    world.select(people[:25])
    world.start(world.activation())
    assert world.labelled == set(people[:25]), "the next good run does what is due"


def test_a_broken_query_is_tried_again_by_itself(world: World, people: list[str]) -> None:
    world.postgres.execute(f"alter table {world.table} rename to {world.table}_away")
    world.apply(world.activation(schedule={"every": "10s"}))
    assert_failed(world, world.await_reason("SourceFailed"), "SourceFailed", "table that does not exist")

    world.postgres.execute(f"alter table {world.table}_away rename to {world.table}")

    world.await_reason("Succeeded", seconds=60)
    assert world.labelled == set(people)


def test_a_missing_warehouse_secret_stalls_and_says_which(world: World) -> None:
    world.connect()
    audience = world.audience()
    audience["sql"]["uriSecretRef"] = {"name": "nowhere"}

    status = world.start(world.activation(audience=audience))

    assert_failed(world, status, "CredentialsInvalid", f"there is no Secret {world.namespace}/nowhere")
    assert condition(status, "Stalled")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("postgresql://user:secret@10.1.2.3/db", "may not read from 10.1.2.3"),
        ("oracle://user:secret@10.1.2.3/db", "this version reads postgresql:"),
        ("postgresql://user:sec@ret@127.0.0.1/db", "must be written %40"),
        ("sqlite:///etc/passwd", "VOYADO_OPERATOR_FILE_ROOTS"),
    ],
)
def test_a_uri_that_may_not_be_read_stalls_without_being_quoted(world: World, uri: str, said: str) -> None:
    world.connect()
    world.secret("warehouse", uri=uri)

    status = world.start(world.activation())

    assert_failed(world, status, "InvalidSpec", said)
    assert "secret@" not in str(status)
    assert "ret@" not in str(status)


def test_a_wrong_api_key_makes_the_connection_unready_and_holds_its_activations(world: World) -> None:
    world.secret("engage", apiKey="wrong")
    world.connect()
    world.apply(world.activation())

    connection = world.await_reason("CredentialsInvalid", "engage", CONNECTIONS)

    assert condition(connection, "Stalled")
    held = world.await_reason("ConnectionNotReady")
    assert condition(held, "Reconciling")
    assert "401" in ready(held)["message"]
    assert world.writes == 0

    world.secret("engage", apiKey=world.engage.api_key)
    world.await_reason("Succeeded")


@pytest.mark.parametrize(
    ("change", "reason", "said"),
    [
        ({"url": "https://acme.example.com"}, "InvalidSpec", "VOYADO_OPERATOR_ENGAGE_HOSTS"),
        ({"apiKeySecretRef": {"name": "nowhere"}}, "CredentialsInvalid", "there is no Secret"),
        ({"apiKeySecretRef": {"name": "engage", "key": "other"}}, "CredentialsInvalid", "has no key other"),
    ],
)
def test_a_connection_that_cannot_work_says_why(world: World, change: dict[str, Any], reason: str, said: str) -> None:
    world.connect(**change)

    status = world.await_reason(reason, "engage", CONNECTIONS)

    assert said in ready(status)["message"]
    world.await_event(reason, said, "engage")


def test_an_activation_without_a_connection_waits_for_it(world: World) -> None:
    people = world.people(2)
    world.select(people)
    world.apply(world.activation(schedule={"every": "1h"}))
    assert "there is no VoyadoConnection engage" in ready(world.await_reason("ConnectionNotReady"))["message"]

    world.connect()

    world.await_reason("Succeeded")
    assert world.labelled == set(people)


def test_a_consent_that_the_tenant_does_not_have_is_not_written(world: World) -> None:
    world.connect()
    world.select(world.people(2))
    target = {"consent": {"id": "unheardOf", "onEnter": "Decline", "onExit": "Keep"}}

    status = world.start(world.activation(target=target, governance=GOVERNANCE))

    assert_failed(world, status, "TargetNotFound", "it has memberTerms")


def test_a_label_needs_a_route(world: World) -> None:
    world.select(world.people(2))
    unrouted = world.connection()
    del unrouted["spec"]["labels"]
    world.apply(unrouted)

    assert_failed(world, world.start(world.activation()), "InvalidSpec", 'labels: {attribute: {idTemplate: "label_')


def test_what_nobody_knows_is_not_called_done(world: World) -> None:
    """The update is done, but its answer never arrives."""
    people = world.people(3)
    world.connect()
    world.select(people)
    world.engage.faults({"kind": "garbage", "method": "PATCH", "times": 1})

    status = world.start(world.activation())

    assert (status["lastRun"]["accepted"], status["lastRun"]["unknown"], status["members"]) == (2, 1, 2)
    assert (ready(status)["status"], ready(status)["reason"]) == ("False", "PartiallyApplied")
    assert (condition(status, "Reconciling") or {})["reason"] == "ProgressingWithRetry"
    assert world.run()["members"] == 3


@pytest.mark.parametrize(
    ("fault", "reason", "said"),
    [
        ({"status": 401}, "CredentialsInvalid", "spec.apiKeySecretRef"),
        ({"status": 503, "retryAfter": 0.01}, "EngageUnavailable", "status 503"),
    ],
)
def test_engage_refusing_in_the_middle_of_a_run_loses_nothing(
    world: World, people: list[str], fault: dict[str, Any], reason: str, said: str
) -> None:
    world.select(people[:25])
    world.engage.faults({"kind": "status", "method": "PATCH", **fault})

    status = world.run()

    assert (ready(status)["status"], ready(status)["reason"]) == ("False", reason)
    assert said in ready(status)["message"]
    assert (status["lastRun"]["outcome"], status["members"]) == ("Failed", 30)
    world.await_event(reason, said)
    world.engage.faults()
    world.run()
    assert world.labelled == set(people[:25])


def test_a_zone_that_does_not_exist_stalls(world: World) -> None:
    world.connect()
    world.apply(world.activation(schedule={"cron": "0 6 * * *", "timeZone": "Europe/Atlantis"}))

    assert "Europe/Stockholm" in ready(world.await_reason("InvalidSpec"))["message"]
