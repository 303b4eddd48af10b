"""A target that is left: whom it is taken from, and where."""

import pytest
from engage_simulator.tenant import Refused, Tenant

from tests.component.conftest import Install
from tests.engage import running_simulator


async def test_a_no_is_not_said_again_to_who_came_back(install: Install) -> None:
    here = install("opt-out")
    [contact] = here.people[:1]
    here.select([contact])
    await here.run()
    here.decide(contact, True)

    here.kind = "single"
    here.edit(deletionPolicy="Withdraw")
    await here.run()

    assert here.engage.contact(contact)["preferences"]["acceptsEmail"] is True


async def test_another_tenant_is_not_written_to(install: Install) -> None:
    here = install("opt-in")
    here.edit(deletionPolicy="Withdraw")
    here.select(here.people[:2])
    await here.run()
    with running_simulator() as other:
        other.seed([{"id": one, "preferences": {"acceptsEmail": True}} for one in here.people])
        here.move(url=other.url)
        here.cluster.api_key = other.api_key
        here.select(here.people[:1])
        status = await here.run()

        assert other.preference("acceptsEmail")["true"] == set(here.people)
        assert status.conditions[0].reason == "GuardBlocked"
        assert "no VoyadoConnection in the namespace marketing goes to" in status.conditions[0].message
        assert here.engage.preference("acceptsEmail")["true"] == set(here.people[:2])
        assert status.former_target is not None
        assert status.former_target.members == 2
        await here.approve()
        assert here.life.status.former_target is None
        assert here.engage.preference("acceptsEmail")["true"] == set(here.people[:2])
        await here.ends()


@pytest.mark.parametrize("kind", ["endpoint", "trigger"])
async def test_a_404_about_the_operation_is_no_removal(
    install: Install, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    here = install(kind)
    here.select(here.people[:2])
    await here.run()

    def unheard(*_: object) -> None:
        raise Refused(404, "NotFound", "There is no such operation")

    here.select(here.people[:1])
    with monkeypatch.context() as patch:
        patch.setattr(Tenant, "label", unheard)
        status = await here.run()
    assert status.last_run is not None
    assert status.last_run.accepted == 0

    await here.settle()
    assert here.shown() == set(here.people[:1])


async def test_a_404_without_a_word_is_no_contact_that_is_gone(install: Install) -> None:
    here = install("single")
    here.edit(drift={"sample": 100, "onDrift": "Report"})
    here.select(here.people[:2])
    await here.run()
    here.engage.faults({"kind": "status", "method": "GET", "status": 404, "path": "/contacts/.*-"})
    await here.run()
    here.engage.faults()

    here.select(here.people[:1])
    await here.run()

    assert here.shown() == set(here.people[:1])
