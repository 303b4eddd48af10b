import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.pool import EngagePool
from voyado_operator.engage.transport import Patience

from tests.component.installation import Installation
from tests.component.observing import CONNECTION, Observed
from tests.engage import EngageAdmin, running_simulator


@pytest.fixture(autouse=True)
def second_looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voyado_operator.ledger.damage.SECOND_LOOK", 0.0)


@pytest.fixture
def engage() -> Iterator[EngageAdmin]:
    with running_simulator() as admin:
        admin.configure(attributes={"label_vip": "boolean"}, bulkDelaySeconds=0)
        yield admin


@pytest.fixture
def people(engage: EngageAdmin) -> list[str]:
    """Thirty contacts, with the addresses person-0@example.com and so on."""
    ids = [str(uuid.uuid4()) for _ in range(30)]
    engage.seed([{"id": one, "email": f"person-{number}@example.com"} for number, one in enumerate(ids)])
    return ids


@pytest.fixture
def observed() -> Observed:
    return Observed()


@pytest.fixture
async def client(engage: EngageAdmin, observed: Observed) -> AsyncIterator[EngageClient]:
    """As the operator makes it, but in a hurry."""
    patience = Patience(attempts=3, first_wait=0.01, longest_wait=0.02, total=10)
    pool = EngagePool(observed, "0.0.0", lambda: True, patience)
    yield pool.client(engage.url, engage.api_key, None, 200, CONNECTION)
    await pool.close()


Install = Callable[..., Installation]


@pytest.fixture
async def install(engage: EngageAdmin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Install]:
    """Makes an installation for a kind of target, with so many people and guards."""
    monkeypatch.setattr("voyado_operator.reconcile.canary.BETWEEN_LOOKS", 0.0)
    installed: list[Installation] = []

    def make(kind: str, people: int = 14, **guards: Any) -> Installation:
        installed.append(Installation(engage, kind, tmp_path / "ledger", people, **guards))
        return installed[-1]

    yield make
    for one in installed:
        await one.ends()
