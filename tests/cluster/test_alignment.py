"""What the product is for: after each run Engage holds exactly what the audience says."""

import pytest

from tests.cluster.world import GOVERNANCE, World, address, ready


def test_a_label_follows_the_audience_and_the_status_tells_the_numbers(world: World) -> None:
    people = world.people(60)
    world.connect()
    world.select(people[:40])
    first = world.start(world.activation())
    assert world.labelled == set(people[:40])
    assert (first["diff"]["entering"], first["diff"]["leaving"]) == (40, 0)

    world.select(people[5:50])
    second = world.run()

    assert world.labelled == set(people[5:50])
    numbers = {name: second["diff"][name] for name in ("entering", "leaving", "unchanged")}
    assert numbers == {"entering": 10, "leaving": 5, "unchanged": 35}
    run = second["lastRun"]
    assert (run["outcome"], run["audience"], run["entering"], run["leaving"]) == ("Succeeded", 45, 10, 5)
    assert (run["accepted"], run["rejected"], run["unknown"]) == (15, 0, 0)
    assert second["members"] == 45
    assert [entry["id"] for entry in second["history"]] == [run["id"], first["lastRun"]["id"]]
    assert world.metric("voyado_activation_members") == 45
    assert world.metric("voyado_activation_changes_total", operation="remove", result="accepted") == 5


def test_rows_are_cleaned_matched_and_counted_apart(world: World) -> None:
    known, by_mail, twins = world.people(3), world.people(2), world.people(2)
    world.engage.seed([{"id": one, "email": "shared@people.example"} for one in twins])
    world.connect()
    world.fill(
        [
            (known[0], None),
            (f" {{{known[0].upper()}}} ", None),  # a duplicate in another spelling
            (known[1], address(known[1])),
            (None, address(by_mail[0]).upper()),
            (None, f"  {address(by_mail[1])}\n"),
            (None, address(by_mail[1])),  # a duplicate
            (None, "stranger@people.example"),
            (None, "shared@people.example"),
            (None, None),
            ("not-a-guid", "nor an address"),
            (known[2], "two@people.example"),
            (by_mail[0], "two@people.example"),  # one address, two contacts: both rows are invalid
        ]
    )

    status = world.start(world.activation(guards={"maxInvalid": "100%"}))

    assert world.labelled == {known[0], known[1], by_mail[0], by_mail[1]}
    run = status["lastRun"]
    counted = {name: run[name] for name in ("audience", "matched", "invalid", "duplicates", "unmatched", "ambiguous")}
    assert counted == {"audience": 4, "matched": 4, "invalid": 4, "duplicates": 2, "unmatched": 1, "ambiguous": 1}
    assert world.metric("voyado_activation_unmatched_contacts") == 1
    assert world.metric("voyado_activation_invalid_rows") == 4


def test_an_unchanged_audience_costs_no_engage_call_and_at_most_two_status_writes(world: World) -> None:
    people = world.people(30)
    world.connect()
    world.fill([(one, None) for one in people[:20]] + [(None, address(one)) for one in people[20:]])
    world.start(world.activation())
    world.engage.reset_requests()
    before = world.status()

    versions = world.versions()
    next(versions)
    world.annotate("vip", "requestedAt", "again")
    writes = 0
    for status in versions:
        writes += status != before
        before = status
        if status["lastHandledReconcileAt"] == "again":
            break

    assert status["lastRun"]["outcome"] == "Succeeded"
    assert world.engage.requests()["total"] == 0
    assert writes <= 2


@pytest.mark.parametrize("bulk", ["Auto", "Off"])
def test_bulk_and_single_updates_come_to_the_same(world: World, bulk: str) -> None:
    people = world.people(50)
    world.connect(bulk={"mode": bulk})
    world.select(people)
    world.start(world.activation())

    assert world.labelled == set(people)
    assert ("PATCH /contacts/bulk" in world.engage.requests()["byOperation"]) == (bulk == "Auto")


def test_what_engage_refuses_is_counted_and_parked(world: World) -> None:
    people = world.people(3)
    world.engage.remove(people[2])
    world.connect()
    world.select(people)

    status = world.start(world.activation())

    assert world.labelled == set(people[:2])
    assert (status["lastRun"]["outcome"], status["lastRun"]["rejected"], status["members"]) == ("Partial", 1, 2)
    assert (ready(status)["status"], ready(status)["reason"]) == ("True", "PartiallyApplied")
    assert "ContactNotFound 1" in ready(status)["message"]

    world.engage.seed([{"id": people[2]}])
    requests = world.engage.requests()["total"]
    parked = world.run()
    assert (parked["lastRun"]["rejected"], world.engage.requests()["total"] - requests) == (0, 0), "parked for an hour"
    assert ready(parked)["reason"] == "PartiallyApplied"
    world.apply(world.activation(historyLimit=9))  # a new generation tries again
    assert world.run()["members"] == 3


@pytest.mark.parametrize(
    ("channel", "flag"), [("Email", "acceptsEmail"), ("Sms", "acceptsSms"), ("Postal", "acceptsPostal")]
)
def test_an_opt_out_audience_drives_a_preference(world: World, channel: str, flag: str) -> None:
    people = world.people(6)
    world.connect()
    world.select(people[:4])
    target = {"preference": {"channel": channel, "onEnter": "Decline", "onExit": "Keep"}}
    world.start(world.activation(target=target, governance=GOVERNANCE))
    assert world.engage.preference(flag)["false"] == set(people[:4])

    world.select(people[2:6])
    status = world.run()

    assert world.engage.preference(flag) == {"true": set(), "false": set(people)}, "Keep leaves a no as it is"
    assert status["members"] == 4


def test_a_consent_is_given_and_taken_back(world: World) -> None:
    people = world.people(5)
    world.connect()
    world.select(people)
    target = {"consent": {"id": "memberTerms", "onEnter": "Accept", "onExit": "Decline"}}
    world.start(world.activation(target=target, governance=GOVERNANCE, guards={"maxAdditions": 10}))
    assert world.engage.consent("memberTerms")["true"] == set(people)

    world.select(people[:3])
    world.run()

    assert world.engage.consent("memberTerms") == {"true": set(people[:3]), "false": set(people[3:])}


def test_an_opt_out_goes_to_all_contacts_of_an_ambiguous_address(world: World) -> None:
    twins = world.people(2)
    world.engage.seed([{"id": one, "email": "shared@people.example"} for one in twins])
    world.connect()
    world.fill([(None, "shared@people.example")])
    target = {"preference": {"channel": "Email", "onEnter": "Decline", "onExit": "Keep"}}

    status = world.start(world.activation(target=target, governance=GOVERNANCE))

    assert world.engage.preference("acceptsEmail")["false"] == set(twins)
    assert status["lastRun"]["ambiguous"] == 1


def test_a_fixed_list_needs_no_warehouse(world: World) -> None:
    people = world.people(3)
    world.connect()

    status = world.start(world.activation(audience={"contactIds": people[:2]}))

    assert world.labelled == set(people[:2])
    assert status["members"] == 2


def test_many_contacts_go_in_several_batches(world: World) -> None:
    people = world.people(9_000)
    world.connect()
    world.select(people)

    status = world.start(world.activation())

    assert world.labelled == set(people)
    assert world.engage.requests()["byOperation"]["PATCH /contacts/bulk"] == 4, "ten go ahead"
    assert status["lastRun"]["accepted"] == 9_000
