"""Real warehouses: streamed, read-only, bounded in time, and silent about their secrets."""

import sqlite3
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from adbc_driver_postgresql import dbapi
from voyado_operator.domain.errors import InvalidSpec, SourceFailed
from voyado_operator.reconcile.ports import Source
from voyado_operator.sources.policy import SourcePolicy
from voyado_operator.sources.sql import Query, sql_source
from voyado_operator.workspace import Columns, Workspace

from tests.component.arrow import rows_of, standing
from tests.controlplane.postgres import Postgres, running_postgres

ROWS = [("00000001-0000-4000-8000-000000000000", "anna@example.com"), (None, "bert@example.com")]
CREATE = "create table vip (contact_id text, email text)"
Build = Callable[[str, float], Source]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of both kinds with the same rows."""
    with sqlite3.connect(tmp_path / "crm.sqlite") as connection:
        connection.execute(CREATE)
        connection.executemany("insert into vip values (?, ?)", ROWS)
    connection.close()
    with duckdb.connect(str(tmp_path / "crm.duckdb")) as other:
        other.execute(CREATE)
        other.executemany("insert into vip values (?, ?)", ROWS)
    return tmp_path


@pytest.fixture(scope="module")
def server() -> object:
    with running_postgres() as running:
        rows = ", ".join(f"({'null' if one is None else repr(one)}, '{mail}')" for one, mail in ROWS)
        running.execute(f"{CREATE}; insert into vip values {rows}")
        yield running


@pytest.fixture(params=["postgresql", "sqlite", "duckdb"])
def build(request: pytest.FixtureRequest, server: Postgres, folder: Path) -> Build:
    uris = {
        "postgresql": server.uri,
        "sqlite": f"sqlite://{folder / 'crm.sqlite'}",
        "duckdb": f"duckdb:{folder / 'crm.duckdb'}",
    }
    policy = SourcePolicy(["127.0.0.1"], [str(folder)])
    return lambda query, seconds: sql_source(uris[request.param], Query(query, timedelta(seconds=seconds)), policy)


def read(source: Source) -> list[dict[str, object]]:
    with source.read() as stream:
        return rows_of(stream)


@pytest.mark.parametrize(
    "query",
    [
        "select contact_id, email from vip order by email",
        "select contact_id, email from vip order by email;",
        "  select contact_id, email from vip order by email -- the best ones",
    ],
)
def test_a_query_is_read(build: Build, query: str) -> None:
    assert [(row["contact_id"], row["email"]) for row in read(build(query, 10))] == ROWS


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select absent from vip", "column that does not exist"),
        ("select * from nowhere", "that does not exist"),
        ("selec from", "syntax error"),
    ],
)
def test_a_query_that_is_wrong_says_how(build: Build, query: str, said: str) -> None:
    with pytest.raises(SourceFailed, match=said):
        read(build(query, 10))


@pytest.mark.parametrize("query", ["insert into vip values ('x', 'y')", "delete from vip", "drop table vip"])
def test_nothing_can_be_written(build: Build, query: str) -> None:
    with pytest.raises((SourceFailed, InvalidSpec)):
        read(build(query, 10))
    assert len(read(build("select * from vip", 10))) == 2


def test_several_statements_do_not_run(build: Build) -> None:
    with suppress(SourceFailed, InvalidSpec):  # SQLite's driver runs the first and leaves the rest
        read(build("select * from vip; delete from vip", 10))
    assert len(read(build("select * from vip", 10))) == 2


def test_a_query_may_take_only_so_long(build: Build) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000000) select i from n"
    with pytest.raises(SourceFailed, match=r"longer than spec\.audience\.sql\.timeout"):
        read(build(endless, 0.5))


@pytest.mark.parametrize("query", ["select 'secret' frm vip", "select secret from vip where email = 'a@example.com'"])
def test_errors_quote_nothing_of_the_query(build: Build, query: str) -> None:
    with pytest.raises(SourceFailed) as caught:
        read(build(query, 10))
    assert "secret" not in "".join(traceback.format_exception(caught.value)).split("SourceFailed")[-1]
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("query", ["select * from read_text('/etc/hostname')", "attach '/tmp/x.db'", "install httpfs"])
def test_duckdb_reaches_nothing_but_its_file(folder: Path, query: str) -> None:
    source = sql_source(
        f"duckdb:{folder / 'crm.duckdb'}", Query(query, timedelta(seconds=10)), SourcePolicy([], [str(folder)])
    )
    with pytest.raises((SourceFailed, InvalidSpec)):
        read(source)


@pytest.mark.parametrize("query", ["attach '{file}' as x", "vacuum into '{file}'", "pragma user_version = 1"])
def test_sqlite_writes_no_file(folder: Path, tmp_path: Path, query: str) -> None:
    """An empty file in the place of a log entry would be the damage of another namespace's ledger."""
    victim, file = tmp_path / "_delta_log" / "9.json", folder / "crm.sqlite"
    victim.parent.mkdir()
    before = file.read_bytes()
    source = sql_source(
        f"sqlite:{file}", Query(query.format(file=victim), timedelta(seconds=10)), SourcePolicy([], [str(folder)])
    )

    with pytest.raises(SourceFailed):
        read(source)

    assert not victim.exists()
    assert file.read_bytes() == before


def test_ids_may_be_of_the_type_uuid(server: Postgres) -> None:
    source = sql_source(
        server.uri,
        Query(
            "select contact_id::uuid::text as contact_id from vip where contact_id is not null", timedelta(seconds=10)
        ),
        SourcePolicy(["127.0.0.1"], []),
    )
    assert read(source) == [{"contact_id": ROWS[0][0]}]


def test_a_server_that_dies_while_it_answers_is_a_failure() -> None:
    with running_postgres() as doomed:
        query = Query("select i::text as contact_id from generate_series(1, 5000000) i", timedelta(seconds=60))
        source = sql_source(doomed.uri, query, SourcePolicy(["127.0.0.1"], []))
        with pytest.raises(SourceFailed):
            read_while(source, doomed.crash)


def read_while(source: Source, happens: Callable[[], None]) -> None:
    with source.read() as stream:
        happens()
        rows_of(stream)


def test_a_password_never_shows(server: Postgres) -> None:
    password = server.uri.split(":")[2].split("@")[0]
    for uri in (server.uri.replace(password, "wrongpassword"), server.uri.replace("/postgres", "/nowhere")):
        source = sql_source(uri, Query("select 1", timedelta(seconds=10)), SourcePolicy(["127.0.0.1"], []))
        with pytest.raises(SourceFailed) as caught:
            read(source)
        for secret in (password, "wrongpassword"):
            assert secret not in str(caught.value)
            assert secret not in repr(source)


def policy(*hosts: str) -> SourcePolicy:
    names = {
        "localhost": ["127.0.0.1"],
        "link": ["169.254.169.254"],
        "six": ["::1"],
        "warehouse": ["10.1.2.3"],
        "mapped": ["::ffff:127.0.0.1"],
    }
    return SourcePolicy(hosts, [], resolve=lambda host: names.get(host, [host]))


@pytest.mark.parametrize(
    ("hosts", "host", "allowed"),
    [
        ((), "warehouse", True),
        ((), "localhost", False),
        ((), "link", False),
        ((), "six", False),
        ((), "mapped", False),
        ((), "0.0.0.0", False),
        (("127.0.0.1",), "127.0.0.1", True),
        (("*.acme.example",), "db.acme.example", True),
        (("*.acme.example",), "db.evil.example", False),
        (("*.acme.example",), "DB.ACME.example", True),
    ],
)
def test_hosts_an_audience_may_name(hosts: tuple[str, ...], host: str, allowed: bool) -> None:
    if allowed:
        policy(*hosts).check_host(host)
    else:
        with pytest.raises(InvalidSpec, match="SOURCE_HOSTS"):
            policy(*hosts).check_host(host)


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://u:p@ss@warehouse/db",
        "postgresql://u:p@warehouse,other/db",
        "postgresql:///db",
        "postgresql://u:p@warehouse/db?host=127.0.0.1",
        "postgresql://u:p@warehouse/db?options=-c%20default_transaction_read_only%3Doff",
        "postgresql://u:p@warehouse/db?sslkey=/etc/passwd",
        "postgresql://u:p@warehouse:port/db",
        "postgresql://u:p@%31%32%37.0.0.1/db",
        "postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/db",
        "postgresql://u:p@warehouse%2c127.0.0.1/db",
    ],
)
def test_a_uri_cannot_lead_elsewhere(uri: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        sql_source(uri, Query("select 1", timedelta(seconds=1)), policy())
    assert "p@ss" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "allowed"), [("crm.duckdb", True), ("../outside.duckdb", False), ("link.duckdb", False)]
)
def test_files_lie_in_an_allowed_folder(tmp_path: Path, path: str, allowed: bool) -> None:
    folder = tmp_path / "allowed"
    folder.mkdir()
    for file in (folder / "crm.duckdb", tmp_path / "outside.duckdb"):
        file.touch()
    (folder / "link.duckdb").symlink_to(tmp_path / "outside.duckdb")
    checked = SourcePolicy([], [str(folder)])

    if allowed:
        assert checked.checked_file(f"{folder}/{path}") == folder / path
    else:
        with pytest.raises(InvalidSpec, match="FILE_ROOTS"):
            checked.checked_file(f"{folder}/{path}")


def test_a_warehouse_that_pauses_in_the_middle_of_its_answer_stops_nothing_else(server: Postgres) -> None:
    """Here it waits for a lock that only this thread lets go: it would time out if the one that waits stopped us."""
    pausing = "case when number = 150000 then pg_advisory_lock(7) is not null else true end"
    query = f"select gen_random_uuid() as contact_id from generate_series(1, 200000) number where {pausing}"
    source = sql_source(server.uri, Query(query, timedelta(seconds=20)), SourcePolicy(["127.0.0.1"], []))

    def staged() -> int:
        with source.read() as stream, Workspace(b"key", "512MB") as workspace:
            workspace.stage(stream, Columns("contact_id"), datetime.now(UTC))
            return workspace.diff(standing([]))[0].contacts

    with ThreadPoolExecutor(1) as worker:
        with dbapi.connect(server.uri) as locked, locked.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(7)")
            reading = worker.submit(staged)
            while not server.execute("select 1 from pg_locks where locktype = 'advisory' and not granted"):
                assert not reading.done(), "it never waited"
        assert reading.result() == 200_000
