"""Staged rows into contacts: `staged` and `known` become the view `audience`, and counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import duckdb
from arro3.core import Array, DataType, Table

from voyado_operator.domain.matching import Match, MatchStatus
from voyado_operator.domain.plan import AudienceCounts
from voyado_operator.workspace.engine import lent, table
from voyado_operator.workspace.hashing import of_a_set
from voyado_operator.workspace.model import Ambiguous

_MATCHES_PER_STATEMENT = 10_000

STAGED = {"contact_id": "uuid", "address_hash": "varchar", "decided_at": "bigint"}

SCHEMA = f"""
    {table("staged", STAGED, STAGED)}
    create table known (address_hash varchar, status varchar, contact_id uuid, fresh boolean);
    create table contradictory (address_hash varchar);
    create table matched_by (contact_id uuid, address_hash varchar, status varchar, decided_at bigint);
    create table found (contact_id uuid, is_sure boolean, decided_at bigint);
    create view identified as
        select contact_id, decided_at from staged anti join contradictory using (address_hash)
        where contact_id is not null;
    create view audience as
        from identified union all select contact_id, decided_at from found;
"""
"""`known` has a row per address, several for an ambiguous one; fresh: needs no look-up.

`audience` has a row per row that names its contact, as it costs less to drop the duplicates of those who enter than to
look for duplicates everywhere (10,000,000 contacts: 1.7 s and 0.2 GiB); `found` has each contact once.
"""

_CONTRADICTORY = """
    create or replace table contradictory as
    select address_hash from staged where contact_id is not null and address_hash is not null
    group by address_hash having min(contact_id) <> max(contact_id)
"""

# An outcome per address: `known` repeats only the ambiguous ones.
_OUTCOMES = """
    select distinct address_hash, status from known where status = 'ambiguous'
    union all select address_hash, status from known where status <> 'ambiguous'
"""

_KINDS = f"""
    select case when s.contact_id is null and s.address_hash is null then 'invalid'
                when c.address_hash is not null then 'invalid'
                when s.contact_id is not null then 'identified'
                else coalesce(o.status, 'pending') end as kind, count(*)
    from staged s
    left join contradictory c on c.address_hash = s.address_hash
    left join ({_OUTCOMES}) o on o.address_hash = s.address_hash
    group by kind
"""

# Whom no row names by contactId: the address they were found by may be another's by now, whose decision it then is.
_MATCHED_BY = """
    create or replace table matched_by as
    select k.contact_id, k.address_hash, k.status, v.decided_at
    from known k
    join (select address_hash, max(decided_at) as decided_at from staged anti join contradictory using (address_hash)
          where contact_id is null group by 1) v on v.address_hash = k.address_hash
    anti join identified i on i.contact_id = k.contact_id
    where k.contact_id is not null
"""

# Of two addresses nobody knows which is the contact's.
_FOUND = """
    insert into found
    select contact_id, bool_or(status = 'matched'), if(min(address_hash) = max(address_hash), max(decided_at), null)
    from matched_by where list_contains($statuses, status)
    group by contact_id
"""


def drop_contradictory(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Find the addresses that carry two contactIds; all rows of such an address are invalid."""
    connection.execute(_CONTRADICTORY)
    return {row[0] for row in connection.execute("from contradictory").fetchall()}


def learn(connection: duckdb.DuckDBPyConnection, matches: Iterable[Match]) -> None:
    """Let Engage's answers replace what was known of their addresses."""
    remaining = iter(matches)
    while some := list(islice(remaining, _MATCHES_PER_STATEMENT)):
        with lent(connection, "answers", _table({match.address_hash: match for match in some}.values())):
            connection.execute("delete from known where address_hash in (select address_hash from answers)")
            connection.execute("insert into known select address_hash, status, contact_id::uuid, true from answers")


@dataclass(frozen=True, slots=True)
class Gathered:
    """The rows of the audience by kind.

    `found` contacts are known by an address only, `sure` of them by one that is not ambiguous.
    """

    kinds: dict[str, int]
    found: int
    sure: int

    def counts(self, contacts: int) -> AudienceCounts:
        """With so many distinct contacts.

        For Ambiguous.SKIP, rows = invalid + unmatched + ambiguous + pending + duplicates + contacts.
        """
        matched, unmatched, ambiguous, pending, identified = (
            self.kinds.get(kind, 0) for kind in ("matched", "unmatched", "ambiguous", "pending", "identified")
        )
        return AudienceCounts(
            rows=sum(self.kinds.values()),
            invalid=self.kinds.get("invalid", 0),
            duplicates=identified + matched - (contacts - self.found + self.sure),
            by_email=matched + unmatched + ambiguous + pending,
            unmatched=unmatched,
            ambiguous=ambiguous,
            pending=pending,
            contacts=contacts,
        )


def gather(connection: duckdb.DuckDBPyConnection, ambiguous: Ambiguous) -> Gathered:
    """Fill `found`, and with it `audience`."""
    included = [MatchStatus.MATCHED, *([MatchStatus.AMBIGUOUS] if ambiguous is Ambiguous.INCLUDE_ALL else [])]
    kinds: dict[str, int] = dict(connection.execute(_KINDS).fetchall())
    if kinds.keys() - {"invalid", "identified"}:
        connection.execute(_MATCHED_BY)
        connection.execute(_FOUND, {"statuses": [str(status) for status in included]})
    [(found, sure)] = connection.execute("select count(*), count(*) filter (where is_sure) from found").fetchall()
    return Gathered(kinds, found, sure)


def distinct(connection: duckdb.DuckDBPyConnection) -> int:
    """How many contacts `audience` has."""
    [(contacts,)] = connection.execute("select count(distinct contact_id) from audience").fetchall()
    return int(contacts)


def fingerprint(connection: duckdb.DuckDBPyConnection) -> str:
    """Of the rows of `audience`, in any order, and of when their persons decided."""
    row = "hash(contact_id, decided_at)" if tells_decisions(connection) else "hash(contact_id)"
    [numbers] = connection.execute(f"select {of_a_set(row)} from audience").fetchall()
    return "-".join(f"{number or 0:x}" for number in numbers)


def tells_decisions(connection: duckdb.DuckDBPyConnection) -> bool:
    [(is_said,)] = connection.execute("select exists (from staged where decided_at is not null)").fetchall()
    return bool(is_said)


def _table(matches: Iterable[Match]) -> Table:
    pairs = [(match, contact) for match in matches for contact in match.contact_ids or (None,)]
    text = DataType.utf8()
    return Table.from_pydict(
        {
            "address_hash": Array([match.address_hash for match, _ in pairs], type=text),
            "status": Array([str(match.status) for match, _ in pairs], type=text),
            "contact_id": Array([contact for _, contact in pairs], type=text),
        }
    )
