"""What the ledger and the open items remember of the contacts that the diff found: tables `earlier`, `unsettled`."""

from collections.abc import Sequence
from datetime import datetime

import duckdb
from arro3.core import Array, DataType, Table

from voyado_operator.domain.arrow import ArrowStream
from voyado_operator.domain.delivery import Entry
from voyado_operator.domain.moments import from_microseconds, microseconds
from voyado_operator.workspace.engine import lent
from voyado_operator.workspace.model import Detail

SCHEMA = """
    create table earlier (contact_id varchar, op varchar, changed_at bigint, decided_at bigint);
    create table unsettled (
        contact_id varchar, op varchar, state varchar, changed_at bigint, witness varchar, attempts bigint);
"""

_EARLIER = """
    insert into earlier
    select m.contact_id, m.op, epoch_us(m.changed_at), epoch_us(m.decided_at) from lent m
    semi join (from changes where op = 'add') c on c.contact_id = m.contact_id
"""

_DECLINED = """
    delete from changes using earlier e
    where changes.op = 'add' and e.op = 'declined' and e.contact_id = changes.contact_id
      and (changes.decided_at is null or changes.decided_at <= coalesce(e.decided_at, -9223372036854775807))
"""

_UNSETTLED = """
    insert into unsettled
    select m.contact_id, m.op, m.state, epoch_us(m.changed_at), m.witness, m.attempts from lent m
    semi join changes c on c.contact_id = m.contact_id and c.op = m.op
    where m.state = 'asked' or m.generation = $generation
"""

_PARKED = """
    update changes set parked = true from lent m
    where m.state = 'parked' and m.generation = $generation and epoch_us(m.until) > $now
      and m.contact_id = changes.contact_id and m.op = changes.op
"""

_DETAILS = """
    select c.contact_id, any_value(c.decided_at), list(distinct b.address_hash),
           any_value(e.op), any_value(e.changed_at),
           any_value(u.changed_at) filter (where u.state = 'asked'),
           any_value(u.witness) filter (where u.state = 'asked'),
           any_value(u.attempts) filter (where u.state = 'parked')
    from changes c
    semi join wanted w on w.contact_id = c.contact_id
    left join matched_by b on b.contact_id = c.contact_id
    left join earlier e on e.contact_id = c.contact_id
    left join unsettled u on u.contact_id = c.contact_id
    group by c.contact_id
"""


def consider(
    connection: duckdb.DuckDBPyConnection,
    earlier: ArrowStream | None,
    unsettled: ArrowStream | None,
    generation: int,
    now: datetime,
) -> int:
    """Fill both tables; drop whom the person declined, park what was refused; return how many were declined."""
    declined = 0
    if earlier is not None:
        with lent(connection, "lent", earlier):
            connection.execute(_EARLIER)
        [(declined,)] = connection.execute(_DECLINED).fetchall()
    if unsettled is not None:
        with lent(connection, "lent", Table.from_arrow(unsettled)):  # read twice, and small
            connection.execute(_UNSETTLED, {"generation": generation})
            connection.execute(_PARKED, {"generation": generation, "now": microseconds(now)})
    return int(declined)


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
            asked_at=_moment(asked_at),
            witness=witness,
            refusals=refusals or 0,
        )
        for contact_id, decided_at, addresses, entry, entered_at, asked_at, witness, refusals in rows
    }


def hold_asked(connection: duckdb.DuckDBPyConnection) -> int:
    [(held,)] = connection.execute(
        "update changes set held = true from unsettled u where u.state = 'asked'"
        " and u.contact_id = changes.contact_id and u.op = changes.op"
    ).fetchall()
    return int(held)


def _moment(number: int | None) -> datetime | None:
    return None if number is None else from_microseconds(number)
