"""The API key is revoked in the middle of a run, and replaced: no restart, and no hammering."""

from tests.cluster.world import CONNECTIONS, World, ready


def test_a_revoked_key_stops_everything_until_the_secret_changes(world: World) -> None:
    people = world.people(30)
    world.select(people[:20])
    world.connect(bulk={"mode": "Off"})
    world.start(world.activation(schedule={"every": "10s"}))
    world.engage.configure(apiKeys=["another"])
    world.select(people)

    world.await_reason("CredentialsInvalid")
    world.await_reason("CredentialsInvalid", "engage", CONNECTIONS)
    # Two more turns of the schedule, in which nobody asks Engage with the key that it refused.
    refused = world.engage.requests()["total"]
    marker = world.activation("marker", target={"label": {"name": "gold"}}, schedule={"every": "10s"})
    world.apply(marker)
    world.await_reason("ConnectionNotReady", "marker")
    assert world.engage.requests()["total"] == refused
    assert ready(world.status())["reason"] == "CredentialsInvalid"

    world.secret("engage", apiKey="another")

    world.await_reason("Succeeded", "engage", CONNECTIONS)
    world.await_status(lambda status: status.get("members") == 30 and ready(status)["reason"] == "Succeeded")
    assert world.labelled == set(people)


def test_a_run_on_request_that_was_refused_is_made_up_for(world: World) -> None:
    people = world.people(3)
    world.select(people)
    world.connect()
    world.await_reason("Succeeded", "engage", CONNECTIONS)
    world.engage.configure(apiKeys=["another"])
    world.apply(world.activation())
    assert ready(world.run())["reason"] == "CredentialsInvalid"
    world.await_reason("CredentialsInvalid", "engage", CONNECTIONS)

    world.secret("engage", apiKey="another")

    world.await_reason("Succeeded")
    world.await_status(lambda status: status.get("members") == 3)
    assert world.labelled == set(people)
