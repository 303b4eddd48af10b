"""The diff as the table `changes`: its digest, its sample, and what of it may go out.

`changes` has contact_id, op, was (the ledger's op: add, asked, leaving, clearing, or null), decided_at (when the person
decided, of entering contacts), held (a guard's block) and parked (Engage refused it lately, or still works on the
opposite). Both ops are of a type of
one byte: to compare 1,000,000 contacts with nobody takes 0.07 s instead of 0.1, and a look at all of them 3 ms, not 8;
to compare 10,000,000 with as many a fifth less, as less has to be spilled.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from math import ceil

import duckdb

from voyado_operator.arrow import ArrowStream, Batches, text
from voyado_operator.domain.contacts import LENGTH, Contacts
from voyado_operator.domain.delivery import Operation
from voyado_operator.domain.plan import DiffCounts
from voyado_operator.domain.standing import Standing
from voyado_operator.workspace import folding
from voyado_operator.workspace.engine import lent, table
from voyado_operator.workspace.former import WITHDRAW
from voyado_operator.workspace.hashing import KeyedHash, of_a_set
from voyado_operator.workspace.matching import tells_decisions
from voyado_operator.workspace.model import Lot

_LOTS = {Lot.MEMBERS: "was = 'add'", Lot.OTHERS: "was is distinct from 'add'"}

_CHANGES = {
    "contact_id": "uuid",
    "op": "entry",
    "was": "entry",
    "held": "boolean",
    "parked": "boolean",
    "decided_at": "bigint",
}

SCHEMA = f"""
    {folding.SCHEMA}
    {table("changes", _CHANGES, _CHANGES)}
"""

# Who is on the target is there once; of the audience only those who enter are looked at for duplicates. Grouped by what
# each contact has one of, and not with any_value: 10,000,000 who enter take 2.6 s instead of 3.0. Where no row says
# when the person decided, to have no room for it saves a quarter of the time.
_DIFF = """
    insert into changes by name
    select contact_id, if(is_gone, 'remove', 'add')::entry as op, was, false as held, false as parked{decided_at}
    from (select coalesce(a.contact_id, s.contact_id) as contact_id, a.contact_id is null as is_gone, s.op as was,
                 a.decided_at
          from (from audience where {part}) a full join (from standing where {part}) s on s.contact_id = a.contact_id
          where a.contact_id is null or s.op is distinct from 'add')
    group by contact_id, is_gone, was
"""

# A member who is told no once more: the row's decision is later than the one that was sent, and than when that was.
_RENEWED = """
    insert into changes by name
    select a.contact_id, 'add'::entry as op, 'add'::entry as was, false as held, false as parked,
           max(a.decided_at) as decided_at
    from (from audience where decided_at is not null) a join lent m on m.contact_id::uuid = a.contact_id
    where a.decided_at > greatest(epoch_us(m.changed_at), coalesce(epoch_us(m.decided_at), epoch_us(m.changed_at)))
    group by a.contact_id
"""

MOST_COMPARED = 25_000_000
"""So many on the target, at once. What the join makes of more is spilled, beside two tables that are as large:
50,000,000 take 11 s under 2 GB and in two parts 7.5, under 512 MB 13 and 12."""

# A contact whose address became ambiguous is skipped, which is not to have left.
_STILL_NAMED = """
    op = 'remove' and contact_id in (
        select contact_id from matched_by where status = 'ambiguous')
"""

UNASKED = "coalesce(changes.was, 'add') = 'add'"
"""Whatever the change is, it cannot have been sent before."""


def diff(connection: duckdb.DuckDBPyConnection, standing: Standing) -> tuple[int, DiffCounts]:
    """Compare `audience` with who is or may be on the target.

    Returns also how many distinct contacts the audience has.
    """
    folding.fold(connection, standing)
    [(on_target,)] = connection.execute("select count(*) from standing").fetchall()
    _fill(connection, on_target)
    connection.execute("drop table standing")
    [(apart,)] = connection.execute("select count(*) from changes where op = 'remove' or was is not null").fetchall()
    in_both = on_target - apart
    [(still_named,)] = connection.execute(
        f"select count(*) from changes where was = 'add' and {_STILL_NAMED}"
    ).fetchall()
    connection.execute(f"delete from changes where {_STILL_NAMED}")
    [(entering, leaving, members)] = connection.execute(
        "select count(*) filter (where op = 'add'), count(*) filter (where op = 'remove'),"
        " count(*) filter (where op = 'remove' and was = 'add') from changes"
    ).fetchall()
    unchanged = in_both + still_named
    diff = DiffCounts(entering=entering, leaving=leaving, unchanged=unchanged, members=unchanged + members)
    return in_both + entering, diff


def renew(connection: duckdb.DuckDBPyConnection, members: ArrowStream) -> int:
    """Add those members who have decided again since; return how many."""
    with lent(connection, "lent", members):
        connection.execute(_RENEWED)
    return _count(connection, "op = $op::entry and was = 'add'", Operation.ADD)


def _fill(connection: duckdb.DuckDBPyConnection, on_target: int) -> None:
    is_said = tells_decisions(connection)
    connection.execute(table("changes", _CHANGES, [column for column in _CHANGES if is_said or column != "decided_at"]))
    decided_at = ", max(decided_at) as decided_at" if is_said else ""
    for part in _parts(ceil(on_target / MOST_COMPARED)):
        connection.execute(_DIFF.format(decided_at=decided_at, part=part))


def _parts(number: int) -> list[str]:
    """SQL for the contacts of each part; one part is all, without a look at them."""
    if number <= 1:
        return ["true"]
    return [f"hash(contact_id) % {number} = {part}" for part in range(number)]


def digest(connection: duckdb.DuckDBPyConnection, seed: str) -> str:
    """`sha256:…` of the seed and of both sets, held changes included.

    It names a plan; what an approval lets out is the stored plan, id by id.
    """
    sets = connection.execute(f"select op, {of_a_set()} from changes group by op order by op").fetchall()
    sets += connection.execute(f"select '{WITHDRAW}', {of_a_set()} from former_members having count(*) > 0").fetchall()
    return f"sha256:{hashlib.sha256(repr((seed, sets)).encode()).hexdigest()}"


def sample(connection: duckdb.DuckDBPyConnection, operation: Operation, limit: int, keyed: KeyedHash) -> list[str]:
    """Up to `limit` contacts of the operation as `h:` and 8 digits of their keyed hash."""
    rows = connection.execute(
        "select contact_id::varchar from changes where op = $op::entry order by contact_id limit $limit",
        {"op": operation.value, "limit": limit},
    ).fetchall()
    return [f"h:{keyed.hexdigest(contact_id)[:8]}" for (contact_id,) in rows]


def due(
    connection: duckdb.DuckDBPyConnection, operation: Operation, lot: Lot, sizes: Iterable[int]
) -> Iterator[Contacts]:
    """The contacts that may go out, up to so many at a time; as they were when the first were asked for."""
    cursor = connection.cursor()  # of its own, so that other statements can run between two pages
    found = cursor.sql(
        "select contact_id::varchar as contact_id from changes"
        f" where op = $op::entry and not held and not parked and {_LOTS[lot]}",
        params={"op": operation.value},
    )
    yield from Contacts.pages((text(batch["contact_id"], LENGTH) for batch in Batches(found)), sizes)


def count_parked(connection: duckdb.DuckDBPyConnection, operation: Operation) -> int:
    return _count(connection, "op = $op::entry and parked", operation)


def unchanged(connection: duckdb.DuckDBPyConnection, contact_ids: Sequence[str]) -> list[str]:
    found = connection.execute(
        "select contact_id::varchar from changes where contact_id in (select unnest($asked)::uuid)",
        {"asked": list(contact_ids)},
    ).fetchall()
    return sorted(set(contact_ids) - {contact_id for (contact_id,) in found})


def count_beside(connection: duckdb.DuckDBPyConnection, operation: Operation, sent: ArrowStream) -> tuple[int, int]:
    """How many contacts `sent` (contact_id) has, and how many changes may go out that are not of these."""
    with lent(connection, "lent", sent):
        connection.execute("create or replace temp table sent as select contact_id::uuid as contact_id from lent")
    [(earlier,)] = connection.execute("select count(*) from sent").fetchall()
    beside = _count(connection, "op = $op::entry and not parked and contact_id not in (from sent)", operation)
    connection.execute("drop table sent")
    return int(earlier), beside


def count_due(connection: duckdb.DuckDBPyConnection, operation: Operation) -> int:
    return _count(connection, "op = $op::entry and not held and not parked", operation)


def count_held(connection: duckdb.DuckDBPyConnection, operation: Operation) -> int:
    return _count(connection, "op = $op::entry and held and not parked", operation)


def forget_the_rest(connection: duckdb.DuckDBPyConnection) -> None:
    for name in ("known", "staged", "found"):
        connection.execute(f"drop table {name}")


def hold_unanswered(connection: duckdb.DuckDBPyConnection) -> int:
    return hold_those(connection, f"not {UNASKED}")


def hold_those(connection: duckdb.DuckDBPyConnection, condition: str) -> int:
    """Hold the changes that satisfy the SQL condition; return how many of them are not parked."""
    connection.execute(f"update changes set held = true where {condition}")
    [(held,)] = connection.execute(f"select count(*) from changes where not parked and {condition}").fetchall()
    return int(held)


def count_unanswered(connection: duckdb.DuckDBPyConnection) -> int:
    [(count,)] = connection.execute(f"select count(*) from changes where not {UNASKED}").fetchall()
    return int(count)


def wait(connection: duckdb.DuckDBPyConnection, operation: Operation, contacts: ArrowStream) -> int:
    with lent(connection, "lent", contacts):
        [(waiting,)] = connection.execute(
            "update changes set parked = true where op = $op::entry and not parked"
            " and contact_id in (select contact_id::uuid from lent)",
            {"op": operation.value},
        ).fetchall()
    return int(waiting)


def hold(connection: duckdb.DuckDBPyConnection, operation: Operation) -> None:
    connection.execute("update changes set held = true where op = $op::entry", {"op": operation.value})


def held(connection: duckdb.DuckDBPyConnection) -> ArrowStream:
    """contact_id and op of the held changes, and of the held removals from the former target."""
    return connection.cursor().sql(
        "select contact_id::varchar as contact_id, op::varchar as op from changes where held and not parked"
        f" union all select contact_id::varchar, '{WITHDRAW}' from former_members where held and not parked"
    )


def release(connection: duckdb.DuckDBPyConnection, approved: ArrowStream, among: str = "true") -> None:
    """Let those held changes go out, `among` the rows that satisfy it, that `approved` (contact_id, op) has too."""
    with lent(connection, "approved", approved):
        connection.execute(
            "update changes set held = false from approved a"
            f" where held and a.contact_id::uuid = changes.contact_id and a.op = changes.op and {among}"
        )


def _count(connection: duckdb.DuckDBPyConnection, condition: str, operation: Operation) -> int:
    sql = f"select count(*) from changes where {condition}"
    [(count,)] = connection.execute(sql, {"op": operation.value}).fetchall()
    return int(count)
