"""Source rows into the table `staged (contact_id, address_hash, decided_at)`; no address is ever stored.

contactIds are UUIDs in every table: 10,000,000 of them are grouped in 2.0 s and joined in 1.5 s; as text, in 6.0 s and
5.8 s.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import duckdb
from arro3.core import RecordBatch, Table

from voyado_operator.arrow import ArrowStream, Batches
from voyado_operator.domain.decisions import NOT_BEFORE
from voyado_operator.domain.errors import SourceFailed
from voyado_operator.domain.moments import microseconds
from voyado_operator.domain.names import listed
from voyado_operator.workspace.canonical import as_bytes
from voyado_operator.workspace.decisions import UNUSABLE
from voyado_operator.workspace.engine import lent, table
from voyado_operator.workspace.hashing import KeyedHash
from voyado_operator.workspace.matching import STAGED
from voyado_operator.workspace.model import Addresses, Columns

ROWS_PER_CHUNK = 262_144
_SPACE = r"' ' || chr(9) || chr(10) || chr(13) || chr(160)"  # what exports put around values; trim() takes only ' '
_HEX = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_WRAPPED = rf"[ \t\n\r\x{{a0}}]*({_HEX}|\{{{_HEX}\}})[ \t\n\r\x{{a0}}]*"
_ADDRESS = r"[^\s@[:cntrl:]]+@([^\s@.[:cntrl:]]+\.)+[^\s@.[:cntrl:]]{2,}"
_AS_BYTES = "contact_id::uuid"
# 36 characters that DuckDB takes for a UUID are 32 digits and 4 hyphens; only others are looked at with regular
# expressions (1,000,000 ids: 0.15 s and 0.2 s).
_SPELLED = f"""
    case when strlen(contact_id::varchar) = 36 then try_cast(contact_id::varchar as uuid)
         when regexp_full_match(lower(contact_id::varchar), '{_WRAPPED}')
             then regexp_extract(lower(contact_id::varchar), '{_HEX}')::uuid end"""
_WITH_ZONE = r":[0-9.]+ ?(Z|[+-][0-9:]+)$"
_LONGEST_ADDRESS = 254  # RFC 5321, erratum 1690


def stage(
    connection: duckdb.DuckDBPyConnection,
    stream: ArrowStream,
    columns: Columns,
    keyed: KeyedHash,
    lookup_limit: int,
    now: datetime,
) -> Addresses:
    """Fill `staged` from the stream; return up to `lookup_limit` addresses of which `known` holds nothing fresh.

    A decision that is not NOT_BEFORE earlier than `now`, the start of the run, is UNUSABLE; see decisions.settle.

    Raises SourceFailed when a column is missing; what the stream raises is for the source to translate.
    """
    wanted = Addresses()
    batches = Batches(stream)
    columns = _resolved(columns, batches.schema.names)
    absent = {"address_hash": columns.email is None, "decided_at": columns.decided_at is None}
    present = [name for name in STAGED if not absent.get(name)]
    connection.execute(table("staged", STAGED, present))
    stored = ", ".join(present)
    parameters = (keyed.parameters if columns.email else {}) | {
        "latest": microseconds(now - NOT_BEFORE),
        "unusable": UNUSABLE,
    }
    for chunk in _chunks(batches):
        guids = as_bytes(chunk, columns.contact_id) if columns.contact_id else None
        taken, contact_id = (chunk, _SPELLED) if guids is None else (guids, _AS_BYTES)
        projection = _projection(columns, keyed, contact_id)
        rows = (
            f"select {stored} from (select contact_id, address_hash,"
            " case when decided_at <= $latest then decided_at when is_said then $unusable end as decided_at"
            f" from ({projection}))"
        )
        with lent(connection, "chunk", taken):
            if columns.email is None:
                connection.execute(f"insert into staged ({stored}) {rows}", parameters)
                continue
            connection.execute(f"create or replace table fresh_rows as {rows}", parameters)
            connection.execute(f"insert into staged ({stored}) from fresh_rows")
            missing = _missing(connection, lookup_limit - len(wanted), wanted)
            wanted.update(_addresses(connection, projection, keyed, missing))
    return wanted


def _resolved(columns: Columns, existing: list[str]) -> Columns:
    """The columns as the source spells them; warehouses such as Snowflake change the case of a name."""

    def spelled(name: str | None) -> str | None:
        if name is None:
            return None
        found = [n for n in existing if n == name] or [n for n in existing if n.lower() == name.lower()]
        if len(found) != 1:
            problem = f"has {len(found)} columns named" if found else "has no column"
            raise SourceFailed(f"the audience {problem} {name!r}; its columns are {listed(existing)}")
        return found[0]

    return Columns(spelled(columns.contact_id), spelled(columns.email), spelled(columns.decided_at))


def _projection(columns: Columns, keyed: KeyedHash, contact_id: str) -> str:
    """contact_id, address, address_hash, decided_at, is_said of each row of `chunk`, null where absent or malformed.

    `is_said`: there is something that should be a decided_at.
    `contact_id` says how to make a UUID of that column. decided_at is in microseconds; a moment without a zone is taken
    for the earliest it can mean (UTC+14), as it may overrule a person's no.
    A projection and nothing else, so that DuckDB has nothing to spill.
    """
    address_hash = keyed.sql("address") if columns.email else "null::varchar"
    return f"""
        select contact_id, address, {address_hash} as address_hash,
            epoch_us(if(regexp_matches(decided_at, '{_WITH_ZONE}'), try_cast(decided_at as timestamptz),
                        try_cast(decided_at as timestamp) - interval 14 hours)) as decided_at,
            decided_at is not null as is_said
        from (
            select {contact_id} as contact_id,
                   if(length(address) <= {_LONGEST_ADDRESS} and regexp_full_match(address, '{_ADDRESS}'), address, null)
                       as address,
                   decided_at
            from (select {_quoted(columns.contact_id)} as contact_id,
                         lower(trim({_quoted(columns.email)}::varchar, {_SPACE})) as address,
                         nullif(trim({_quoted(columns.decided_at)}::varchar, {_SPACE}), '') as decided_at
                  from chunk))"""


def _quoted(column: str | None) -> str:
    if column is None:
        return "null"
    quoted = column.replace('"', '""')
    return f'"{quoted}"'


def _chunks(batches: Iterable[RecordBatch]) -> Iterator[Table]:
    """The stream in tables of at least ROWS_PER_CHUNK rows, as a statement costs about a millisecond."""
    held: list[RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(b.num_rows for b in held) >= ROWS_PER_CHUNK:
            yield Table.from_batches(held)
            held = []
    if held:
        yield Table.from_batches(held)


def _missing(connection: duckdb.DuckDBPyConnection, room: int, wanted: Addresses) -> set[str]:
    """Hashes of the chunk to look up, `room` at most."""
    if room <= 0:
        return set()
    found = connection.execute(
        "select distinct address_hash from fresh_rows anti join (from known where fresh) using (address_hash)"
        " where contact_id is null and address_hash is not null"
    ).fetchall()
    return set(sorted({row[0] for row in found} - wanted.keys())[:room])


def _addresses(connection: duckdb.DuckDBPyConnection, rows: str, keyed: KeyedHash, missing: set[str]) -> dict[str, str]:
    if not missing:
        return {}
    pairs = connection.sql(
        f"select address_hash, address from ({rows}) where contact_id is null and address is not null",
        params=keyed.parameters,
    )
    return {
        pair["address_hash"]: pair["address"]
        for batch in Batches(pairs)  # streamed: a materialised result could be spilled
        for pair in batch.to_struct_array().to_pylist()
        if pair["address_hash"] in missing
    }
