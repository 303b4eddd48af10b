"""A Delta table as a log of changes over a base, folded when read.

Every row carries a number `seq`: of the commit it came with, or one that all changes of a first run share. The rows
of number `base` are the whole state as it was then; rows with a higher seq are changes since, of which the latest per
key wins; rows with a lower seq are history. All numbers are Delta application transactions, so they survive compaction,
checkpoints and log clean-up.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import chain, pairwise

from arro3.core import RecordBatch, RecordBatchReader, Table
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    QueryBuilder,
    Schema,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import DeltaError
from deltalake.schema import PrimitiveType

from voyado_operator.arrow import ArrowStream, Batches
from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.ledger import ids
from voyado_operator.ledger.damage import intact, remove_unfinished
from voyado_operator.ledger.failures import Overtaken, unavailable

CONFIGURATION: Mapping[str, str | None] = {
    # Statistics hold minima and maxima, which would be ids in the transaction log.
    "delta.dataSkippingStatsColumns": "seq",
    # Opening takes 0.2 ms more for each commit since the last checkpoint. But a checkpoint tells of every file that was
    # replaced within a week: 400 runs of 50 changes write 894 bytes a change with one every 20 commits, 644 so.
    "delta.checkpointInterval": "50",
}
# Statistics of other columns than `seq` are not worth it: 128,000 rows take 14 ms to write and not 20. A dictionary of
# ids that all differ would be thrown away after a tenth of the time; with the lengths apart they take 16 bytes, not 17.
SMALL = WriterProperties(
    compression="ZSTD",
    compression_level=1,
    # As bulk.MOST_IN_FLIGHT: a first run notes so many as acknowledged before it announces as many others. Each are a
    # group of rows then, and a scan reads only the groups that it asks for: 10,000,000 members in 0.21 s, not 0.33.
    max_row_group_size=100_000,
    default_column_properties=ColumnProperties(statistics_enabled="NONE"),
    column_properties={
        "seq": ColumnProperties(statistics_enabled="CHUNK"),
        "contact_id": ColumnProperties(
            statistics_enabled="NONE", dictionary_enabled=False, encoding="DELTA_LENGTH_BYTE_ARRAY"
        ),
    },
)
BY = "by"
OURS = {BY: "voyado-operator"}
"""In every commit of ours: of any other commit nobody knows what it did to the members."""
SMALLEST_REBASE = 10_000
MOST_FOLDED = 2_000_000
FEW = 5_000  # rows; 40 files of 30 rows are folded in 50 ms instead of 230
MOST_FILES = 16  # of a tier; every file costs each scan of the log a millisecond, and a run makes half a dozen
TIERS = (0, 2**16, 2**19)  # bytes: where they begin, and where the last ends


class ChangeLog:
    """One table, through the one handle opened at the start: a re-opened handle would not fence other writers.

    Every method raises LedgerUnavailable when the storage fails or when another writer committed meanwhile.
    """

    def __init__(self, table: DeltaTable, url: str, key: str) -> None:
        self.table = table
        self.url = url
        self._key = key
        types = {field.name: field.type for field in table.schema().fields}
        self._columns = [name for name in types if name != "seq"]
        self._binary = {name for name in types if types[name] == PrimitiveType("binary")}
        self._numbers: dict[str, int | None] = {}
        self._numbers_of = -1  # which version of the handle

    @classmethod
    def open(cls, url: str, key: str, schema: Schema, description: str = "") -> "ChangeLog":
        """Open the table at `url`, created with `schema` (its first column is `seq`) and `description` if absent.

        Raises LedgerUnavailable also for a table of another schema.
        """
        with unavailable(url, "open"):
            log = cls(intact(url) or _created(url, schema, description), url, key)
        return log.of(schema)

    @classmethod
    def existing(cls, url: str, key: str) -> "ChangeLog | None":
        """Open the table at `url`, if there is one."""
        with unavailable(url, "open"):
            table = intact(url)
        return cls(table, url, key) if table is not None else None

    def of(self, schema: Schema) -> "ChangeLog":
        """Itself; raises LedgerUnavailable when the table has another schema."""
        if self.table.schema() != schema:
            raise LedgerUnavailable(
                f"the table at {self.url} has other columns than this version of the operator gives it: run the version"
                " that made it, or move it away (docs/runbook.md, the ledger was lost)"
            )
        return self

    def contact(self, contact_id: str) -> str:
        """The contactId (a canonical GUID) as a literal of SQL over the table, which has it as bytes or as text."""
        return ids.sql(contact_id) if "contact_id" in self._binary else f"'{contact_id}'"

    def number_of(self, application: str) -> int | None:
        """Read once for each version that the handle sees: it takes 0.4 ms, and 4 beside other work."""
        if self._numbers_of != self.table.version():
            self._numbers, self._numbers_of = {}, self.table.version()
        if application not in self._numbers:
            with unavailable(self.url, "read"):
                self._numbers[application] = self.table.transaction_version(application)
        return self._numbers[application]

    @contextmanager
    def _committing(self, what: str, **numbers: int) -> Iterator[CommitProperties]:
        """Commit properties that set these numbers; afterwards the cache is valid only if ours was the only new commit.

        Raises LedgerUnavailable if another program has committed to the table meanwhile.
        """
        before = self.table.version()
        with unavailable(self.url, what):
            yield CommitProperties(
                OURS, app_transactions=[Transaction(name, number) for name, number in numbers.items()]
            )
        self._numbers |= numbers
        self._numbers_of += 1
        if self.table.version() > before + 1 and self.is_foreign_since(before):
            raise LedgerUnavailable(f"another program has written to the table at {self.url}; only read it")

    def is_foreign_since(self, version: int) -> bool:
        """Whether another program has committed after that version, as far as the log goes back."""
        with unavailable(self.url, "read the history of"):
            later = self.table.history(self.table.version() - version) if self.table.version() > version else []
        return any(entry.get(BY) != OURS[BY] for entry in later)

    @property
    def base(self) -> int:
        return self.number_of("base") or 0

    @property
    def _copies(self) -> str:
        """SQL for the rows that are no changes but a copy of the state: the base, unless its rows were never copied."""
        return "false" if self.is_founded else f"seq = {self.base}"

    @property
    def is_founded(self) -> bool:
        """Whether the base are the additions of a first run, in files that also have who was asked, as many."""
        return self.number_of("founded") == self.base

    @property
    def next_seq(self) -> int:
        return (self.number_of("ledger") or 0) + 1

    @property
    def description(self) -> str:
        return str(self.table.metadata().description or "")

    def describe(self, description: str, **numbers: int) -> None:
        """Replace the description in a fenced commit, which sets these numbers too.

        For what is rare: delta-rs 1.6 holds the interpreter's lock until it is done, which was 41 ms of a first run of
        10,000,000, and is as long as an object store takes for a handful of requests. A commit without rows does not.
        """
        with self._committing("describe", ledger=self.next_seq, **numbers) as commit:
            self.table.alter.set_table_description(description, commit_properties=commit)

    def fence(self) -> None:
        """Make whatever is tried through a handle that was opened before raise LedgerUnavailable.

        A merge too, which has no number: delta-rs refuses a commit if the metadata was replaced meanwhile.
        """
        self.describe(self.description)

    def found(self, seq: int) -> None:
        """Make the rows of that number the first base, as they are: one of each key that has a state."""
        self.set_numbers(base=seq, founded=seq)

    def set_numbers(self, **numbers: int) -> None:
        """Commit these numbers, if any, and no rows; what is then written through an older handle fails."""
        self._write(Table.from_batches([], schema=self.table.schema().to_arrow()), **numbers)

    def query(self, sql: str) -> ArrowStream:
        """Run `sql` over the table `log`; the stream may still fail while it is read."""
        with unavailable(self.url, "read"):
            return QueryBuilder().register("log", self.table).execute(sql)

    def rows(self, sql: str) -> list[dict[str, object]]:
        """The few rows of `sql` as Python values."""
        with unavailable(self.url, "read"):
            found = QueryBuilder().register("log", self.table).execute(sql)
            return [row for batch in Batches(found) for row in batch.to_struct_array().to_pylist()]

    @property
    def is_worth_folding(self) -> bool:
        """Whether there are changes since the base, and so many rows that it is worth to read those by themselves."""
        return self._rows_from(self.base + 1) > 0 and self._rows_from(self.base) >= FEW

    def folded(self, log: str = "log", keys: str = "true") -> str:
        """SQL for the present rows, without `seq`: the base overridden by the latest change of each key.

        `log` is what the SQL calls the table; `keys` says which of them to look at.
        The changes are the build side of both joins, so that a base of any size streams through.
        """
        key, base, columns = self._key, self.base, ", ".join(self._columns)
        if not self._rows_from(base + 1):  # 10,000,000 rows: 0.7 s instead of 1.3
            return f"select {columns} from {log} where seq = {base} and {keys}"
        if not self.is_worth_folding:  # one scan instead of three, as each file costs each a millisecond
            ranked = f"select *, rank() over (partition by {key} order by seq desc) as place from {log}"
            return f"select {columns} from ({ranked} where seq >= {base} and {keys}) where place = 1"
        changes = f"select * from {log} where seq > {base} and {keys}"
        return (
            f"with latest as (select {key}, max(seq) as seq from ({changes}) group by {key}) "
            f"select {columns} from (select b.* from latest right anti join"
            f" (select * from {log} where seq = {base} and {keys}) b on latest.{key} = b.{key}) "
            f"union all select {columns} from (select c.* from latest join"
            f" ({changes}) c on latest.{key} = c.{key} and latest.seq = c.seq)"
        )

    def present(self, columns: str, alive: str = "true") -> ArrowStream:
        """These columns of the folded rows that satisfy `alive`; the stream may still fail while it is read.

        The changes of a fold are in memory: 2,000,000 take 0.3 GiB. Where there are more, it is done one range of keys
        after the other.
        """
        first, *others = (
            f"select {columns} from ({self.folded(keys=keys)}) where {alive}"
            for keys in self._ranges(1 + self._rows_from(self.base + 1) // MOST_FOLDED)
        )
        if not others:
            return self.query(first)
        batches = Batches(self.query(first))
        return RecordBatchReader.from_batches(batches.schema, chain(batches, self._one_after_the_other(others)))

    def _ranges(self, number: int) -> Iterator[str]:
        """SQL that splits keys, bytes or hexadecimal digits, into so many ranges of one size."""
        key, kind = self._key, "X" if self._key in self._binary else ""
        bounds = [f"{kind}'{256 * index // number:02x}'" for index in range(1, number)]
        for lower, upper in pairwise([None, *bounds, None]):
            above = f"{key} >= {lower}" if lower else "true"
            yield f"{above} and {key} < {upper}" if upper else above

    def _one_after_the_other(self, queries: Sequence[str]) -> Iterator[RecordBatch]:
        """In a thread, as delta-rs panics when it writes a stream that starts a query while it is read."""
        with ThreadPoolExecutor(1) as opener:
            for sql in queries:
                yield from Batches(opener.submit(self.query, sql).result())

    def append(self, rows: ArrowStream) -> None:
        """Commit rows, whose seq is `next_seq`."""
        self._write(rows)

    def _write(self, rows: ArrowStream, **numbers: int) -> None:
        with self._committing("write", ledger=self.next_seq, **numbers) as commit:
            write_deltalake(self.table, rows, mode="append", writer_properties=SMALL, commit_properties=commit)

    @property
    def is_empty(self) -> bool:
        return not self.table.file_uris()

    def has_grown(self) -> bool:
        """Whether the changes are worth a rebase, which rewrites the whole base: a fifth of it, each in two rows."""
        changes = self._rows_from(self.base + 1)
        first, copies = (self.base - 1, 2) if self.is_founded else (self.base, 1)  # who was asked has the number before
        base = (self._rows_from(first) - changes) // copies
        return changes > max(SMALLEST_REBASE, base * 2 // 5)

    def rebase(self, alive: str, history: str) -> None:
        """Make the folded rows that satisfy `alive` the new base, and drop the commits before the first with `history`.

        The files of the others stay as they are: 1,000,000 members after a first run take 0.9 s, and 2.2 s to rewrite.
        """
        seq = self.next_seq
        [row] = self.rows(f"select min(seq) as first from log where not ({self._copies}) and ({history})")
        first = row["first"] or seq
        replaced = f"seq < {first} or {self._copies} or seq = {seq}"
        self._replace(self.present(self._as_base(seq), alive), replaced, base=seq)

    def merge(self) -> None:
        """Make larger files of the small ones of a tier with many of them; every row stays.

        In tiers, so that hardly a row is rewritten more than twice: 1,000 changes a run of 1,000,000 members write 48
        bytes each for it, and 111 where all that is small is merged each time.
        """
        for smallest, largest in pairwise(TIERS):
            sizes: list[int] = self.table.get_add_actions()["size_bytes"].to_pylist()
            if sum(smallest <= size < largest for size in sizes) > MOST_FILES:
                self.set_numbers()  # it fails if another has claimed the table; a merge has no number, and would not
                self._merge(target_size=2 * largest)  # files that are half full are not of the tier

    def _merge(self, target_size: int) -> None:
        """Raises LedgerUnavailable if another has claimed the table meanwhile: the handle sees that one's commits now,
        and would let through what it was opened before.
        """
        next_seq = self.next_seq
        with unavailable(self.url, "merge the files of"):
            self.table.optimize.compact(
                target_size=target_size, writer_properties=SMALL, commit_properties=CommitProperties(OURS)
            )
        if self.next_seq != next_seq:
            raise Overtaken(f"another writer committed to the table at {self.url} while its files were merged")

    def rewrite(self, kept: str) -> None:
        """Keep only what satisfies `kept`, of the base and of the history, in new files."""
        seq, columns = self.next_seq, ", ".join(self._columns)
        history = self.query(f"select seq, {columns} from log where not ({self._copies}) and ({kept})")
        state = RecordBatchReader.from_arrow(self.present(self._as_base(seq), kept))
        rows = RecordBatchReader.from_batches(state.schema, chain(state, RecordBatchReader.from_arrow(history)))
        self._replace(rows, None, base=seq)

    def erase(self, column: str, literal: str) -> bool:
        """Erase the rows with this value, in earlier versions too; return whether there were any.

        Fenced first, as not every file system has locks (locks.py): a run that has the table open could merge files,
        the rows among them, beside the rewrite, or commit a file that was deleted before it was part of the table.
        """
        self.fence()
        is_held = bool(self.rows(f"select 1 as one from log where {column} = {literal} limit 1"))
        if is_held:
            self.rewrite(f"{column} is distinct from {literal}")
        self.vacuum_all()
        return is_held

    def _as_base(self, seq: int) -> str:
        return f"cast({seq} as bigint) as seq, {', '.join(self._columns)}"

    def _replace(self, rows: ArrowStream, replaced: str | None, base: int) -> None:
        with self._committing("rebase", ledger=base, base=base) as commit:
            write_deltalake(
                self.table,
                rows,
                mode="overwrite",
                predicate=replaced,
                writer_properties=SMALL,
                commit_properties=commit,
            )

    def vacuum(self, keep: timedelta) -> None:
        """Delete the files of versions that were replaced before then, and what a killed writer left behind."""
        with unavailable(self.url, "vacuum"):
            _vacuum(self.table, keep)

    def vacuum_all(self) -> None:
        """Delete every file that the present version does not need."""
        with unavailable(self.url, "vacuum"):
            vacuum_all(self.table)

    def _rows_from(self, seq: int) -> int:
        """How many rows have this number or a higher one, or a few more: all of the files that have such a row."""
        if self.is_empty:
            return 0
        files = self.table.get_add_actions()
        counted = zip(files["num_records"].to_pylist(), files["max"].to_pylist(), strict=True)
        return sum(rows for rows, highest in counted if highest["seq"] >= seq)


def _created(url: str, schema: Schema, description: str) -> DeltaTable:
    with suppress(DeltaError):  # somebody else created it at the same moment
        return DeltaTable.create(url, schema, description=description, configuration=CONFIGURATION)
    return DeltaTable(url)


def vacuum_all(table: DeltaTable) -> None:
    """Delete every file that the latest version does not need."""
    time.sleep(0.002)  # what was removed within the present millisecond would count as retained
    _vacuum(table, timedelta(0))


def _vacuum(table: DeltaTable, keep: timedelta) -> None:
    hours = int(keep.total_seconds() // 3600)
    table.vacuum(
        retention_hours=hours,
        enforce_retention_duration=False,
        full=True,
        dry_run=False,
        commit_properties=CommitProperties(OURS),
    )
    remove_unfinished(table.table_uri, keep)
