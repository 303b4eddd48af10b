"""What the ledger remembers of the contacts that the diff found: tables `earlier` and `refused`."""

from collections.abc import Sequence
from datetime import datetime

import duckdb
from arro3.core import Array, DataType, Table

from voyado_operator.arrow import ArrowStream
from voyado_operator.domain.delivery import PARKED_FOR, Entry
from voyado_operator.domain.moments import from_microseconds, microseconds
from voyado_operator.workspace.changes import hold_those
from voyado_operator.workspace.engine import lent
from voyado_operator.workspace.model import Detail

SCHEMA = """
    create table earlier (contact_id uuid, op varchar, changed_at bigint, decided_at bigint);
    create table refused (contact_id uuid, attempts bigint, is_parked boolean);
"""

_EARLIER = """
    insert into earlier
    select e.contact_id::uuid, e.op, epoch_us(e.changed_at), epoch_us(e.decided_at) from lent e
    semi join (from changes where op = 'add') c on c.contact_id = e.contact_id::uuid
    where e.op <> 'void'
"""

_DECLINED = """
    delete from changes using earlier e
    where changes.op = 'add' and e.op = 'declined' and e.contact_id = changes.contact_id
      and (changes.decided_at is null or changes.decided_at <= coalesce(e.decided_at, -9223372036854775807))
"""

_DOUBTED = """
    changes.op = 'add' and contact_id in (
        select e.contact_id from earlier e
        where e.op = 'doubted'
          and (changes.decided_at is null or changes.decided_at <= e.changed_at))
"""

_REFUSED = """
    insert into refused
    select r.contact_id::uuid, r.attempts, epoch_us(r.until) > $now and epoch_us(r.until) <= $latest from lent r
    semi join changes c on c.contact_id = r.contact_id::uuid and c.op = r.op
    where r.generation = $generation
"""

_PARKED = """
    update changes set parked = true from refused r where r.is_parked and r.contact_id = changes.contact_id
"""

_DETAILS = """
    select c.contact_id::varchar, any_value(c.decided_at), list(distinct b.address_hash),
           any_value(coalesce(e.op, nullif(c.was, 'add'))), any_value(e.changed_at), any_value(r.attempts)
    from changes c
    semi join wanted w on w.contact_id::uuid = c.contact_id
    left join matched_by b on b.contact_id = c.contact_id
    left join earlier e on e.contact_id = c.contact_id
    left join refused r on r.contact_id = c.contact_id
    group by c.contact_id
"""


def drop_declined(connection: duckdb.DuckDBPyConnection, earlier: ArrowStream) -> int:
    """Fill `earlier`; take out of the diff whom Engage showed to have said no; return how many."""
    with lent(connection, "lent", earlier):
        connection.execute(_EARLIER)
    [(declined,)] = connection.execute(_DECLINED).fetchall()
    return int(declined)


def hold_doubted(connection: duckdb.DuckDBPyConnection) -> int:
    return hold_those(connection, _DOUBTED)


def park(connection: duckdb.DuckDBPyConnection, refused: ArrowStream, generation: int, now: datetime) -> None:
    """Fill `refused`, and mark the changes that are not to be tried again yet."""
    with lent(connection, "lent", refused):
        latest = microseconds(now + PARKED_FOR[-1])  # beyond it, a clock was wrong when it was parked
        connection.execute(_REFUSED, {"generation": generation, "now": microseconds(now), "latest": latest})
    connection.execute(_PARKED)


def details(connection: duckdb.DuckDBPyConnection, contact_ids: Sequence[str]) -> dict[str, Detail]:
    wanted = Table.from_pydict({"contact_id": Array(list(contact_ids), type=DataType.utf8())})
    cursor = connection.cursor()  # of its own: a page of changes may be open
    with lent(cursor, "wanted", wanted):
        rows = cursor.execute(_DETAILS).fetchall()
    return {
        contact_id: Detail(
            decided_at=_moment(decided_at),
            addresses=tuple(address for address in addresses if address is not None),
            entry=Entry(entry) if entry else None,
            entered_at=_moment(entered_at),
            refusals=refusals or 0,
        )
        for contact_id, decided_at, addresses, entry, entered_at, refusals in rows
    }


def _moment(number: int | None) -> datetime | None:
    return None if number is None else from_microseconds(number)
