"""Every example, as it is but for its tenant's address, on real data: it ends as it should, and Engage shows it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from tests.cluster.world import World, condition, ready
from tests.controlplane.postgres import Postgres

EXAMPLES = Path(__file__).parents[2] / "examples"
TENANT = EXAMPLES / "connection" / "connection.yaml"
APART = {"connection", "quickstart", "argocd", "flux"}
FEATURES = sorted(file for file in EXAMPLES.glob("*/*.yaml") if file.parent.name not in APART)
LISTED = "2f6b8a0e-0000-4000-8000-000000000001"  # of the fixed list
PEOPLE = [LISTED, "2f6b8a0e-0000-4000-8000-000000000002", "2f6b8a0e-0000-4000-8000-000000000003"]
WITHOUT_A_WRITE = {"plan-only": "Planned", "suspend": "Suspended"}
FLAGS = {"Email": "acceptsEmail", "Sms": "acceptsSms"}
Manifest = dict[str, Any]

ROWS = ", ".join(f"('{one}', '{one[-2:]}@people.example')" for one in PEOPLE)
WAREHOUSE = f"""
    create table people (contact_id text, email text);
    insert into people values {ROWS};
    create view customers as
        select row_number() over () as customer_id, *, date '2020-01-01' as last_purchase from people;
    create view returns as select customer_id, current_date as returned_on from customers, generate_series(1, 3);
    create view members as select *, current_date as joined_on from people;
    create view churn_scores as select *, 0.9 as score from people;
    create view till_sms_opt_ins as select *, now() as decided_at from people;
    create view partner_terms_decisions as select *, true as is_latest, true as accepted from till_sms_opt_ins;
"""
NAMED = (
    *("vip", "outdoor_fans", "early_birds", "store_regulars", "club_members", "summer_campaign"),
    *("profiling_objections", "suppressed_addresses"),
)


@pytest.fixture(scope="module")
def acme(postgres: Postgres) -> Iterator[Postgres]:
    """The warehouse that the examples query: everybody is in every audience."""
    postgres.execute("create database acme")
    warehouse = Postgres(postgres.uri.removesuffix("postgres") + "acme", postgres.process)
    warehouse.execute(WAREHOUSE + "".join(f"create view {name} as select * from people;" for name in NAMED))
    yield warehouse
    postgres.execute("drop database acme with (force)")


@pytest.fixture
def tenant(world: World, acme: Postgres) -> World:
    """The people accept e-mail, and text messages not; the labels' attributes and the consents exist."""
    labels = [one["spec"]["target"].get("label") for file in FEATURES for one in activations(file)]
    attributes = {f"label_{label['name']}": "boolean" for label in labels if label}
    consents = {"partnerTerms": "Partner terms", "profiling": "Profiling"}
    world.engage.configure(attributes=attributes, consents=consents, labelOperation=True)
    world.engage.seed([{"id": one, "email": f"{one[-2:]}@people.example"} for one in PEOPLE])
    for one in PEOPLE:
        world.engage.decide(one, preferences={"acceptsEmail": True, "acceptsSms": False})
    world.secret("warehouse", uri=acme.uri)
    world.secret("crm-duckdb", uri=f"duckdb:{duckdb_file(world)}")
    world.secret("loyalty-sqlite", uri=f"sqlite:{sqlite_file(world)}")
    return world


def duckdb_file(world: World) -> Path:
    path = world.ledger.parent / f"{world.namespace}.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table customers (contact_id varchar, email varchar, youngest_child date)")
        connection.execute(f"insert into customers select *, current_date from (values {ROWS})")
    return path


def sqlite_file(world: World) -> Path:
    path = world.ledger.parent / f"{world.namespace}.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("create table members (contact_id text, email text, tier text default 'gold')")
    connection.execute(f"insert into members (contact_id, email) values {ROWS}")
    connection.commit()
    connection.close()
    return path


def manifests(file: Path, kind: str) -> list[Manifest]:
    return [one for one in yaml.safe_load_all(file.read_text()) if one["kind"] == kind]


def activations(file: Path) -> list[Manifest]:
    return manifests(file, "SegmentActivation")


def on_target(world: World, target: Manifest) -> set[str]:
    """Whom Engage shows with what entering the target writes."""
    if label := target.get("label"):
        return world.engage.attribute(f"label_{label['name']}") | world.engage.labelled(label["name"])
    written = "true" if (target.get("preference") or target["consent"])["onEnter"] == "Accept" else "false"
    if preference := target.get("preference"):
        return world.engage.preference(FLAGS[preference["channel"]])[written]
    return world.engage.consent(target["consent"]["id"])[written]


@pytest.mark.parametrize("file", FEATURES, ids=lambda file: file.stem)
def test_it_does_what_it_says(tenant: World, file: Path) -> None:
    for connection in manifests(TENANT, "VoyadoConnection") + manifests(file, "VoyadoConnection"):
        tenant.apply(connection | {"spec": connection["spec"] | {"url": tenant.engage.url}})
    [activation] = activations(file)
    name, spec = activation["metadata"]["name"], activation["spec"]
    tenant.apply(activation)
    if "schedule" not in spec:
        tenant.run(name)

    wanted = WITHOUT_A_WRITE.get(file.stem, "Succeeded")
    status = tenant.await_status(
        lambda now: ready(now).get("reason") == wanted or bool(condition(now, "Stalled")), name
    )

    assert ready(status)["reason"] == wanted, ready(status)["message"]
    audience = {LISTED} if "contactIds" in spec["audience"] else set(PEOPLE)
    assert on_target(tenant, spec["target"]) == (set() if file.stem in WITHOUT_A_WRITE else audience)
