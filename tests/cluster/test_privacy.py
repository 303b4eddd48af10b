"""No address, no key and no password in anything that the operator writes, however loud its log is."""

import re

from tests.cluster.world import GOVERNANCE, World, address

PASSWORD = re.compile(r"postgresql://postgres:([^@]+)@")


def test_nothing_the_operator_writes_tells_an_address_a_key_or_a_password(world: World) -> None:
    """The log is at DEBUG; failures of all kinds are part of it."""
    key = "a-key-that-nobody-may-see"
    world.engage.configure(apiKeys=[key])
    world.secret("engage", apiKey=key)
    world.connect()
    people = world.people(40)
    rows: list[tuple[str | None, str | None]] = [(None, address(one)) for one in people]
    world.fill([*rows, (None, "stranger@people.example")])
    world.start(world.activation())
    world.start(
        world.activation(
            "opt-outs",
            target={"preference": {"channel": "Email", "onEnter": "Decline", "onExit": "Keep"}},
            governance=GOVERNANCE,
        )
    )
    world.fill(rows[:10])
    world.run()  # blocked
    world.engage.faults({"kind": "garbage", "path": "/contacts/id"}, {"kind": "resetAfter", "method": "PATCH"})
    world.fill([*rows, (None, "newcomer@people.example")])
    world.run()  # a look-up that fails
    quoting = f"select 'quoted@people.example'::int as contact_id, email from {world.table}"
    world.start(world.activation(audience=world.audience(quoting)))  # PostgreSQL's error quotes the value
    secrets = {key, PASSWORD.findall(world.postgres.uri)[0], "people.example", "people%2eexample"}

    written = {
        "log": world.operator.log.read_bytes(),
        "metrics": world.operator.metrics().encode(),
        "status": world.kubectl("get", "segact,vconn", "-o", "jsonpath={.items[*].status}").encode(),
        "events": world.kubectl("get", "events", "-o", "json").encode(),
        **{str(file): file.read_bytes() for file in world.ledger.rglob("*") if file.is_file()},
    }

    assert len([name for name in written if name.endswith(".parquet")]) > 2
    for place, content in written.items():
        found = [secret for secret in secrets if secret.encode() in content.lower()]
        assert not found, place


def test_contact_ids_live_only_in_the_ledger(world: World) -> None:
    people = world.people(25)
    world.connect()
    world.select(people)
    world.start(world.activation())
    world.select(people[:2])
    world.run()  # blocked: a plan waits

    shown = (
        world.operator.log.read_text()
        + world.operator.metrics()
        + world.kubectl("get", "segact,vconn,events", "-o", "json")
        + "".join(log.read_text() for log in world.ledger.rglob("_delta_log/*.json"))
    )

    assert not [one for one in people if one in shown or one.replace("-", "") in shown]
