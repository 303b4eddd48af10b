"""The simulator's admin API as a Python object, and the simulator in a thread of its own."""

import asyncio
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from engage_simulator.server import API_KEY, Simulator

from tests.controlplane.processes import free_port


class EngageAdmin:
    """What a person in front of Engage would see and do."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.api_key = API_KEY
        self._http = httpx.Client(base_url=url, timeout=30, verify=False)  # reading the CAs takes 40 ms, and no use

    def configure(self, **settings: Any) -> None:
        self._done(self._http.put("/_admin/tenant", json=settings))

    def seed(self, contacts: list[dict[str, Any]]) -> None:
        self._done(self._http.post("/_admin/contacts", json=contacts))

    def decide(self, contact_id: str, **changes: Any) -> None:
        """What the person does: preferences, consents, email."""
        self._done(self._http.patch(f"/_admin/contacts/{contact_id}", json=changes))

    def about_to_decide(self, *decisions: dict[str, Any]) -> None:
        """What people will do between two requests."""
        self._done(self._http.put("/_admin/decisions", json=list(decisions)))

    def write(self, contact_id: str, **attributes: Any) -> None:
        """What somebody else's integration does."""
        self.decide(contact_id, attributes=attributes)

    def contact(self, contact_id: str) -> dict[str, Any]:
        return dict(self._done(self._http.get(f"/_admin/contacts/{contact_id}")))

    def remove(self, contact_id: str) -> None:
        self._done(self._http.delete(f"/_admin/contacts/{contact_id}"))

    def attribute(self, name: str) -> set[str]:
        return set(self._done(self._http.get(f"/_admin/attributes/{name}")))

    def preference(self, name: str) -> dict[str, set[str]]:
        return {value: set(ids) for value, ids in self._done(self._http.get(f"/_admin/preferences/{name}")).items()}

    def consent(self, name: str) -> dict[str, set[str]]:
        return {value: set(ids) for value, ids in self._done(self._http.get(f"/_admin/consents/{name}")).items()}

    def labelled(self, name: str) -> set[str]:
        return set(self._done(self._http.get(f"/_admin/labels/{name}")))

    def fired(self) -> list[dict[str, Any]]:
        return list(self._done(self._http.get("/_admin/triggers")))

    def batches(self) -> list[str]:
        """The ids of the bulk updates that were taken in, oldest first."""
        return [one["batchId"] for one in self._done(self._http.get("/_admin/batches"))]

    def let_go(self, *batches: str) -> None:
        """Have these bulk updates done, which were taken in while bulkHolds was true; all, if none is named."""
        for one in batches or self.batches():
            self._done(self._http.post(f"/_admin/batches/{one}"))

    def faults(self, *faults: dict[str, Any]) -> None:
        self._done(self._http.put("/_admin/faults", json=list(faults)))

    def requests(self) -> dict[str, Any]:
        return dict(self._done(self._http.get("/_admin/requests")))

    def reset_requests(self) -> None:
        self._done(self._http.delete("/_admin/requests"))

    def close(self) -> None:
        self._http.close()

    @staticmethod
    def _done(answer: httpx.Response) -> Any:
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running_simulator(port: int | None = None) -> Iterator[EngageAdmin]:
    """A simulator that must not have seen a request that creates a contact by the end; on a free port unless told."""
    started, stopping = threading.Event(), asyncio.Event()
    served: list[tuple[str, asyncio.AbstractEventLoop]] = []

    async def serve() -> None:
        async with Simulator(port or free_port()) as simulator:
            served.append((simulator.url, asyncio.get_running_loop()))
            started.set()
            await stopping.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="engage-simulator")
    thread.start()
    started.wait()
    [(url, loop)] = served
    admin = EngageAdmin(url)
    try:
        yield admin
        assert admin.requests()["creating"] == 0, "a request that creates a contact reached Engage"
    finally:
        admin.close()
        loop.call_soon_threadsafe(stopping.set)
        thread.join()


@contextmanager
def running_tenant(*labels: str) -> Iterator[EngageAdmin]:
    """A simulator with these attributes and a key of its own.

    An operator keeps one rate for each host and key, halved after a 429, for as long as it lives: another test would
    find it so.
    """
    with running_simulator() as running:
        running.api_key = str(uuid.uuid4())
        running.configure(apiKeys=[running.api_key], attributes=dict.fromkeys(labels, "boolean"))
        yield running
