"""The column that says when people decided: whether it can be believed."""

import duckdb

from voyado_operator.domain.decisions import SAMPLED, DecisionColumn, Sampled
from voyado_operator.domain.moments import from_microseconds
from voyado_operator.workspace.hashing import KeyedHash

UNUSABLE = 2**63 - 1
"""Of a row that says something else than a moment before the run, until it has been counted."""

_COUNTED = """
    select count(*), count(decided_at), count(*) filter (where decided_at = $unusable),
           min(decided_at) filter (where decided_at <> $unusable),
           max(decided_at) filter (where decided_at <> $unusable)
    from staged
"""

# Of the same contacts in every run, as long as they are in the audience.
_SAMPLE = """
    select contact_id::varchar, max(decided_at) from audience where decided_at is not null
    group by contact_id order by hash(contact_id), contact_id limit $limit
"""


def settle(connection: duckdb.DuckDBPyConnection) -> DecisionColumn:
    """Count what `staged` has, and let the unusable count as no decision."""
    [(rows, told, unusable, first, last)] = connection.execute(_COUNTED, {"unusable": UNUSABLE}).fetchall()
    if unusable:
        connection.execute("update staged set decided_at = null where decided_at = $unusable", {"unusable": UNUSABLE})
    only = from_microseconds(first) if first is not None and first == last and told - unusable == rows else None
    return DecisionColumn(rows=rows, unusable=unusable, only=only)


def sample(connection: duckdb.DuckDBPyConnection, keyed: KeyedHash) -> Sampled:
    """Up to SAMPLED contacts and when they decided, both as so few digits of a keyed hash that they name nobody."""
    rows = connection.execute(_SAMPLE, {"limit": SAMPLED}).fetchall()
    return {keyed.hexdigest(contact)[:4]: keyed.hexdigest(f"{contact} {decided}")[:4] for contact, decided in rows}
