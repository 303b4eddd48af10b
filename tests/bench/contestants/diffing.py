"""Audience against membership, each way in a process of its own; prints the seconds that the comparison took.

python -m tests.bench.contestants.diffing WAY WAREHOUSE LEDGER MEMORY
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter

import duckdb
from voyado_operator.ledger.members import Ledger
from voyado_operator.workspace import Columns, Workspace

Counts = tuple[int, int]
JOINED = """
    select count(*) filter (where p.contact_id is null), count(*) filter (where a.contact_id is null)
    from previous p full join audience a on p.contact_id = a.contact_id
"""
EXCEPTS = """
    select (select count(*) from (from audience except from previous)),
           (select count(*) from (from previous except from audience))
"""


def ours(warehouse: str, ledger: str, memory: str) -> tuple[Counts, float]:
    """As a run does it: the audience staged from the source, the members folded from the ledger."""
    members = Ledger.existing(ledger)
    assert members is not None
    with duckdb.connect(warehouse, read_only=True) as source, Workspace(b"key", memory) as workspace:
        audience = source.sql("select contact_id from audience")
        workspace.stage(audience, Columns("contact_id"), datetime.now(UTC))
        started = perf_counter()
        _, found = workspace.diff(members.standing())
        return (found.entering, found.leaving), perf_counter() - started


def in_sql(query: str) -> Callable[[str, str, str], tuple[Counts, float]]:
    def counted(warehouse: str, _: str, memory: str) -> tuple[Counts, float]:
        with duckdb.connect(warehouse, read_only=True, config={"memory_limit": memory}) as connection:
            started = perf_counter()
            [counts] = connection.execute(query).fetchall()
            return counts, perf_counter() - started

    return counted


def in_sets(warehouse: str, _: str, __: str) -> tuple[Counts, float]:
    with duckdb.connect(warehouse, read_only=True) as connection:
        started = perf_counter()
        previous, audience = (
            {contact for (contact,) in connection.execute(f"select contact_id from {table}").fetchall()}
            for table in ("previous", "audience")
        )
        return (len(audience - previous), len(previous - audience)), perf_counter() - started


WAYS: dict[str, Callable[[str, str, str], tuple[Counts, float]]] = {
    "ours": ours,
    "join": in_sql(JOINED),
    "excepts": in_sql(EXCEPTS),
    "sets": in_sets,
}

if __name__ == "__main__":
    counts, seconds = WAYS[sys.argv[1]](*sys.argv[2:])
    print(*counts, f"{seconds:.3f}")
