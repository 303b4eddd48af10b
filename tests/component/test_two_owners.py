"""Who drives a target when its activations, connections and ledgers change hands."""

from prometheus_client import CollectorRegistry
from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.ledger_info import Succession
from voyado_operator.reconcile.activation import ActivationLife
from voyado_operator.telemetry.metrics import Metrics

from tests.component.conftest import Install
from tests.component.installation import Installation
from tests.ledgers import side


def elsewhere(here: Installation) -> ActivationLife:
    """A younger activation of the same target in another namespace."""
    connection = here.connection().model_dump(mode="json", by_alias=True)
    connection["metadata"] |= {"namespace": "sales"}
    here.registry.connection_seen(VoyadoConnection.model_validate(connection))
    manifest = here.activation().model_dump(mode="json", by_alias=True) | {"status": {}}
    manifest["metadata"] |= {"namespace": "sales", "uid": "theirs", "creationTimestamp": "2026-06-01T12:00:00Z"}
    theirs = SegmentActivation.model_validate(manifest)
    here.registry.activation_seen(theirs)
    watched = here.registry.activations[theirs.metadata.key]
    return ActivationLife(watched, here.around, here.registry, Metrics(CollectorRegistry()), lambda: False)


async def test_the_older_keeps_its_target_while_its_connection_is_replaced(install: Install) -> None:
    here = install("single")
    here.select(here.people)
    await here.run()
    younger = elsewhere(here)

    here.registry.connection_gone(here.connection())
    await younger.step()
    here.registry.connection_seen(here.connection())

    assert younger.status.conditions[0].reason == "TargetConflict"
    assert (await here.run()).conditions[0].reason == "Succeeded"


async def test_a_ledger_that_was_taken_over_knows_whose_connection_it_goes_by(install: Install) -> None:
    here = install("single")
    here.select(here.people)
    await here.run()
    ledger = here.opened_ledger()
    ledger.take_side(side("uid/sales/gone", contact_type=None))
    ledger.claim(Succession(("uid/marketing/vip",)))
    here.cluster.status = {}
    here.cluster.existing = False

    await here.restart()
    await here.run()

    [(owner, target)] = here.opened_ledger().info.owners.items()
    assert (owner, target["connection"]) == ("uid/marketing/vip", "engage")


async def test_what_the_ledger_says_of_its_target_is_kept_up_to_date(install: Install) -> None:
    here = install("single")
    here.select(here.people[:2])
    await here.run()

    here.move(contactType="Member")
    here.select(here.people[:3])
    await here.run()

    [target] = here.opened_ledger().info.owners.values()
    assert target["contact_type"] == "Member"
    assert here.shown() == set(here.people[:3])
