"""Two tenants, of which one hangs: what does the other notice of it?"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from statistics import median
from typing import Any

import duckdb
from voyado_operator.reconcile.slots import MOST_UNDER_WAY

from tests.bench.cluster import Cluster, activation, cluster, labels, people, series, tenant, until
from tests.cluster.world import ready
from tests.engage import EngageAdmin
from tests.running import Operator

STEADY, HANGING, ROUNDS = 20, 50, 5
PATIENCE = 60.0  # seconds that a round of STEADY runs may take, which takes one or two
WHILE = ("sending", "looking up addresses")
ANY_CONTACT = "/contacts/(id|[0-9a-f-]{36})$"  # what the connection's probe asks for is still answered


@dataclass(frozen=True)
class Isolation:
    """A round of runs in one tenant, in seconds, while another tenant hangs, and before and after it; None: not within
    PATIENCE.
    """

    hanging_while: str
    alone: float
    beside: float | None


def isolation(hanging_while: str) -> Isolation:
    """Runs of `stuck` are at one of WHILE, and get no answer; those of `steady` send a change each."""
    with cluster() as here, tenant("steady") as steady, tenant("stuck") as stuck:
        here.connect("steady", steady)
        here.connect("stuck", stuck)
        audiences = _audiences(steady)
        here.create(("steady", activation(name, contacts[0])) for name, contacts in audiences.items())
        with here.operator() as operator:
            until(lambda: here.is_connected("stuck") and _have_run(here), 60)
            sizes = count(2)
            alone = _rounds(here, audiences, sizes)
            _hang(here, stuck, operator, hanging_while)
            try:
                beside = _rounds(here, audiences, sizes)
            except TimeoutError:
                return Isolation(hanging_while, median(alone), None)
            stuck.faults()
            until(lambda: series(operator, "voyado_operator_active_runs") == [0], 60)
            alone += _rounds(here, audiences, sizes)
        return Isolation(hanging_while, median(alone), median(beside))


def _audiences(steady: EngageAdmin) -> dict[str, list[str]]:
    """By label. No two have a contact in common: a first run takes another's change of its contact for harm."""
    size = 3 * ROUNDS + 1
    contacts = people(steady, STEADY * size)
    return {
        name: contacts[place * size : (place + 1) * size] for place, name in enumerate(labels(steady, "steady", STEADY))
    }


def _rounds(here: Cluster, audiences: dict[str, list[str]], sizes: Iterator[int]) -> list[float]:
    return [_round(here, audiences, size) for size in islice(sizes, ROUNDS)]


def _round(here: Cluster, audiences: dict[str, list[str]], size: int) -> float:
    """One more contact in every audience, until all have reported the run that adds it."""
    started = time.monotonic()
    now = {name: {"spec": {"audience": {"contactIds": contacts[:size]}}} for name, contacts in audiences.items()}
    here.merge("steady", now)
    until(lambda: _have_run(here), PATIENCE, look=0.05)
    return time.monotonic() - started


def _have_run(here: Cluster) -> bool:
    return all(
        ready(one["status"]).get("status") == "True"
        and one["status"]["observedGeneration"] == one["metadata"]["generation"]
        for one in here.activations("steady")
    )


def _hang(here: Cluster, stuck: EngageAdmin, operator: Operator, hanging_while: str) -> None:
    """Until as many of HANGING runs as may be are under way, for minutes."""
    stuck.faults({"kind": "hold", "path": ANY_CONTACT})
    names, [contact] = labels(stuck, "stuck", HANGING), people(stuck, 1)
    by_address = hanging_while == "looking up addresses"
    audience = _by_address(here, contact) if by_address else {"contactIds": [contact]}
    here.create(("stuck", activation(name, audience=audience)) for name in names)
    until(lambda: series(operator, "voyado_operator_active_runs") == [MOST_UNDER_WAY], 60)


def _by_address(here: Cluster, contact: str) -> dict[str, Any]:
    file = here.folder / "people.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table people as select ? as email", [f"{contact}@people.example"])
    here.secret("stuck", "warehouse", uri=f"duckdb://{file}")
    sql = {"uriSecretRef": {"name": "warehouse"}, "query": "select email from people"}
    return {"sql": sql, "identifiers": {"email": "email"}}
