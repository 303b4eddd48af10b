"""The audiences: `previous`, and `audience`, in which 1 % of the contacts are others."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.controlplane.postgres import Postgres


@dataclass(frozen=True)
class Scenario:
    """From the members `before` to the members `after`: names of tables, None for nobody."""

    name: str
    before: str | None
    after: str

    @property
    def entering(self) -> str:
        without = f" except select contact_id from {self.before}" if self.before else ""
        return f"select contact_id from {self.after}{without}"

    @property
    def leaving(self) -> str | None:
        return (
            f"select contact_id from {self.before} except select contact_id from {self.after}" if self.before else None
        )

    @property
    def changes(self) -> str:
        """The diff written by hand, as rows for Engage."""
        sides = [(self.entering, "true"), (self.leaving, "false")]
        rows = (f'select contact_id as "contactId", {flag} as label_vip from ({q})' for q, flag in sides if q)
        return " union all ".join(rows)


SCENARIOS = (
    Scenario("first sync", None, "previous"),
    Scenario("1 % churn", "previous", "audience"),
    Scenario("no change", "audience", "audience"),
)


@dataclass(frozen=True)
class Warehouse:
    """`source` is its URI; `part` is SQL for the contacts of one part of so many."""

    kind: str
    source: str
    part: Callable[[int, int], str]
    file: Path

    @classmethod
    def filled(cls, file: Path, contacts: int) -> "Warehouse":
        changed = contacts // 200
        with duckdb.connect(str(file)) as connection:
            connection.execute(
                f"create table previous as select gen_random_uuid()::varchar as contact_id from range({contacts})"
            )
            connection.execute(f"create table audience as from previous offset {changed}")
            connection.execute(f"insert into audience select gen_random_uuid()::varchar from range({changed})")
        return cls.found(file)

    @classmethod
    def found(cls, file: Path) -> "Warehouse":
        return cls("DuckDB", f"duckdb:///{file}", lambda part, of: f'hash("contactId") % {of} = {part}', file)

    def copied(self, postgres: Postgres) -> "Warehouse":
        """The same tables in PostgreSQL."""
        csv = self.file.with_suffix(".csv")
        for table in ("previous", "audience"):
            with duckdb.connect(str(self.file), read_only=True) as connection:
                connection.execute(f"copy {table} to '{csv}'")
            postgres.execute(f"create table {table} (contact_id text)")
            postgres.load_csv(table, csv)
        return Warehouse(
            "PostgreSQL", postgres.uri, lambda part, of: f'abs(hashtext("contactId")) % {of} = {part}', self.file
        )

    def members(self, table: str | None) -> set[str]:
        if table is None:
            return set()
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return {contact_id for (contact_id,) in connection.execute(f"from {table}").fetchall()}
