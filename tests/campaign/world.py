"""The campaign's world: API server, tenants, warehouse, ledgers' folders, and the operators that live in it."""

import asyncio
import shutil
import sqlite3
import tempfile
import threading
import uuid
from collections.abc import Callable, Coroutine
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from aiohttp import web
from voyado_operator.api.common import Kind
from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.ledger import erasure
from voyado_operator.ledger.suppression import Suppression

from tests.campaign.engage import Contact, Engage, HangUpError, acting
from tests.campaign.log import Deleted, Event, Forgotten, Found, Gone, Log, Wish, Wished
from tests.campaign.manifests import TABLES, Activation, Connection, Table, wish
from tests.campaign.objects import Key, Objects
from tests.campaign.process import HASH_KEY, Process

STEPS_AT_MOST = 12  # of one daemon without time passing: it spins
Meanwhile = Callable[[], None]


class World:
    """Nothing in it knows what is right; that is for invariants.py to say from the log."""

    def __init__(self, tenants: list[Engage], contacts: int, operators: int, *, share_a_root: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="campaign-"))
        self.log, self.passed, self._began = Log(), timedelta(), datetime.now(UTC)
        self.tenants = tenants
        self.people = [str(uuid.UUID(int=number, version=4)) for number in range(1, contacts + 1)]
        self.objects = Objects(self.clock, lambda key: self.log.note(Gone(self.clock(), f"{key[1]}/{key[2]}")))
        self.objects.secrets = {
            "good": "the-key",
            "bad": "another-key",
            "warehouse": f"sqlite:{self.folder / 'crm.sqlite'}",
        }
        self.connections: dict[str, Connection] = {}
        self.activations: dict[str, Activation] = {}
        self.tables: list[Table] = [{} for _ in range(TABLES)]
        self.faults: list[str] = []
        self._roots = 0
        shared = self.new_root()
        roots = [shared if share_a_root or not number else self.new_root() for number in range(operators)]
        self.processes = [self._process(f"op{number}", root) for number, root in enumerate(roots)]
        self.meanwhile: dict[int, Meanwhile] = {}
        self.kill_after: int | None = None
        self._requests = self._writes = 0
        self._killed = asyncio.Event()
        self._snapshots: dict[Path, Path] = {}
        for tenant in tenants:
            tenant.reset(self.log, self.clock, self._before_request, self._after_request)

    def _process(self, name: str, root: Path) -> Process:
        return Process(name, self.objects, self.log, self.clock, root, self.folder, self._status_written)

    def clock(self) -> datetime:
        """The true time, which passes by itself and in leaps."""
        return datetime.now(UTC) + self.passed

    def new_root(self) -> Path:
        self._roots += 1
        root = self.folder / f"root{self._roots}" / "ledgers"
        root.mkdir(parents=True)
        return root

    # What people do.

    def seed(self, accepts: dict[int, bool], terms: dict[int, bool | None]) -> None:
        """The tenants' contacts, with noes and yeses from long ago."""
        old = self.clock() - timedelta(days=900)
        for tenant in self.tenants:
            for number, one in enumerate(self.people):
                preferences = {"acceptsEmail": accepts.get(number, False), "acceptsSms": False, "acceptsPostal": True}
                term = terms.get(number)
                said = {} if term is None else {"value": term, "date": old.isoformat(), "source": "web"}
                for target, value in (
                    ("preference:acceptsEmail", preferences["acceptsEmail"]),
                    ("consent:memberTerms", term),
                ):
                    self.log.note(Found(old, one, f"{tenant.name}/{target}", value))
                tenant.contacts[one] = Contact(
                    f"person-{number}@example.com", preferences, {"memberTerms": said} if said else {}, old
                )

    def connect(self, name: str, connection: Connection) -> None:
        self.connections[name] = connection
        self._put((Kind.CONNECTION.value, "marketing", name), connection.spec([one.url for one in self.tenants]))
        self._note_wishes()

    def disconnect(self, name: str) -> None:
        self.objects.delete((Kind.CONNECTION.value, "marketing", name))
        del self.connections[name]
        self._note_wishes()

    def activate(self, name: str, activation: Activation) -> None:
        self.activations[name] = activation
        self._put(self.key(name), activation.spec())
        self._note_wishes()

    def apply_again(self, name: str) -> None:
        self.activate(name, self.activations[name])

    def process(self, number: int) -> Process:
        return self.processes[number % len(self.processes)]

    def _put(self, key: Key, spec: dict[str, Any]) -> None:
        if key in self.objects.held:
            self.objects.edit(key, spec)
        else:
            self.objects.create(key, spec)

    def fill(self, table: int, rows: Table) -> None:
        """The warehouse has another audience."""
        self.tables[table] = rows
        with closing(sqlite3.connect(self.folder / "crm.sqlite")) as file, file:
            file.execute(f"drop table if exists t{table}")
            file.execute(f"create table t{table} (contact_id text, email text, decided_at text)")
            for one, decided in rows.items():
                email = f"person-{self.people.index(one)}@example.com"
                file.execute(f"insert into t{table} values (?, ?, ?)", (one, email, decided and decided.isoformat()))
        self._note_wishes()

    def _note_wishes(self) -> None:
        for name in self.activations:
            if not self.objects.is_deleted(self.key(name)):
                self._note_wish(self.key_name(name), self.wish(name))

    def _note_wish(self, activation: str, said: Wish) -> None:
        """Where it is another than before, or the activation was deleted since."""
        for _, event in self.log.latest(Event, len(self.log.events)):
            if isinstance(event, Wished | Deleted) and event.activation == activation:
                if isinstance(event, Wished) and event.wish == said:
                    return
                break
        self.log.note(Wished(self.clock(), activation, said))

    def wish(self, name: str) -> Wish:
        """What an activation, its connection and its audience say now."""
        activation = self.activations[name]
        return wish(activation, self.connections.get(activation.connection), self.tables[activation.table])

    def forget(self, contact: str) -> None:
        """What `voyado-operator contact ID --forget` does in every operator's pod.

        It waits for no run, as it may come in the middle of one, which waits for it here: of a ledger that a run has
        open nothing is erased then, and the command would say so. Where what remembers erasures is damaged, it ends
        there, and says that.
        """
        for url, root in {(process.url, process.root) for process in self.processes}:
            try:
                Suppression(url, HASH_KEY).record({contact: self.clock()})
            except LedgerUnavailable:
                return
            with mock.patch.object(erasure, "WAIT", 0.0):
                erasure.forget(root, contact)
            self.log.note(Forgotten(self.clock(), contact))

    @staticmethod
    def key(name: str) -> Key:
        return Kind.ACTIVATION.value, "marketing", name

    @staticmethod
    def key_name(name: str) -> str:
        return f"marketing/{name}"

    # What goes on by itself.

    async def live(self, *, at_once: bool = False) -> None:
        """Until nothing is due; `at_once`: those that are due together run together."""
        for process in self.processes:
            if process.is_dead:
                process.start()
        self._requests = self._writes = 0
        await self._mortal(self._pump(at_once))
        self.meanwhile, self.kill_after = {}, None

    async def _pump(self, at_once: bool) -> None:
        for _ in range(STEPS_AT_MOST):
            for process in self.processes:
                process.watch()
            for process in self.processes:
                for key in process.due(Kind.CONNECTION):
                    await process.step(key)
                process.watch()
            due = [(process, key) for process in self.processes for key in process.due(Kind.ACTIVATION)]
            if at_once:
                await asyncio.gather(*(process.step(key) for process, key in due))
            else:
                for process, key in due:
                    await process.step(key)
                    process.watch()
            await self._withdrawals()
            if not due and all(one.has_seen_all() for one in self.processes):
                return

    async def _withdrawals(self) -> None:
        """Give deletions a moment."""
        for _ in range(300):
            for process in self.processes:
                process.watch()
            if not any(process.withdraws() for process in self.processes):
                return
            await asyncio.sleep(0.002)

    async def _mortal(self, pump: Coroutine[Any, Any, None]) -> None:
        """Do it; when it is killed, nothing of it goes on, and nothing that it did since is on the disk."""
        self._killed.clear()
        doing, killed = asyncio.create_task(pump), asyncio.create_task(self._killed.wait())
        await asyncio.wait({doing, killed}, return_when=asyncio.FIRST_COMPLETED)
        killed.cancel()
        if not self._killed.is_set():
            await doing
            return
        doing.cancel()
        with suppress(asyncio.CancelledError):
            await doing
        for process in self.processes:
            await process.close()
        for thread in threading.enumerate():
            if thread.name.startswith(("run-", "withdraw-")):
                await asyncio.to_thread(thread.join, 5)
        for root, snapshot in self._snapshots.items():
            shutil.rmtree(root)
            snapshot.rename(root)
        self._snapshots.clear()

    def kill(self) -> None:
        """All operators die now: what lies on the disk at this instant is what the next ones find."""
        if self._killed.is_set():
            return
        self._killed.set()
        for process in self.processes:
            process.is_dead = True
            if process.root not in self._snapshots:
                snapshot = process.root.parent / f"snapshot-{uuid.uuid4()}"
                copy_tree(process.root, snapshot)
                self._snapshots[process.root] = snapshot

    async def restart(self, process: Process) -> None:
        """An orderly end; the next `live` starts it again."""
        if not process.is_dead:
            await process.close()

    def _status_written(self) -> None:
        """A status is about to be written: one more instant to die at."""
        self._moment()

    def _moment(self) -> None:
        if self.kill_after is not None:
            self.kill_after -= 1
            if self.kill_after < 0:
                self.kill_after = None
                self.kill()

    def _before_request(self, engage: Engage, _: int, request: web.BaseRequest) -> None:
        self._requests += 1
        if what := self.meanwhile.pop(self._requests, None):
            what()
        self._moment()
        if self._killed.is_set():
            raise HangUpError
        match self._fault(request):
            case "502":
                raise web.HTTPBadGateway(reason="BadGateway")
            case "429":
                raise web.HTTPTooManyRequests(reason="TooManyRequests")
            case "422":
                raise web.HTTPUnprocessableEntity(reason="ValidationError")
            case "hang up before":
                engage._note_refusal(request)
                raise HangUpError
            case "hang up after":
                self._hang_up_after = True

    _hang_up_after = False

    def _fault(self, request: web.BaseRequest) -> str:
        """What goes wrong with this request; a refusal waits for a change that it can refuse."""
        is_asking = self.faults[:1] == ["422"] and request.method == "GET"
        return "" if not self.faults or is_asking or acting(request) == "an operator" else self.faults.pop(0)

    def _after_request(self, *_: object) -> None:
        self._moment()
        if self._killed.is_set() or self._hang_up_after:
            self._hang_up_after = False
            raise HangUpError

    async def end(self) -> None:
        for process in self.processes:
            if not process.is_dead:
                await process.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def copy_tree(source: Path, target: Path) -> None:
    """As it is at this instant; a file that goes meanwhile is left out."""

    def copied(one: str, other: str) -> None:
        with suppress(FileNotFoundError):
            shutil.copy2(one, other)

    with suppress(shutil.Error):
        shutil.copytree(source, target, copy_function=copied)
