"""The audience into the workspace: read the source to its end, then find the contacts that have only an address."""

import random
from collections.abc import Callable
from datetime import datetime

from voyado_operator.domain.matching import Match, believed_until
from voyado_operator.reconcile.matching import look_up
from voyado_operator.reconcile.ports import Directory, Identities, Source
from voyado_operator.reconcile.progress import Tracker
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Addresses, Columns, Workspace

Clock = Callable[[], datetime]


async def extract(
    workspace: Workspace,
    source: Source,
    columns: Columns,
    identities: Identities | None,
    worker: Worker,
    started_at: datetime,
) -> Addresses:
    """Stage the whole audience; return the addresses that nothing is remembered of. Raises SourceFailed."""

    def read() -> Addresses:
        if identities is not None:
            with identities.remembered() as remembered:
                workspace.recall(remembered, started_at)
        with source.read() as stream:
            return workspace.stage(stream, columns, started_at)

    return await worker(read)


async def match(
    workspace: Workspace,
    addresses: Addresses,
    directory: Directory,
    identities: Identities,
    worker: Worker,
    tracker: Tracker,
    clock: Clock,
) -> None:
    """Ask Engage for the addresses, and remember what it says. Raises CredentialsInvalid or EngageUnavailable."""

    async def learn(answers: list[Match]) -> None:
        now = clock()
        until = [(answer, believed_until(answer.status, now, random.random())) for answer in answers]  # noqa: S311
        await worker(workspace.identify, answers)
        await worker(identities.remember, until, now)
        tracker.advance(len(answers))

    await look_up(addresses, directory, learn)
