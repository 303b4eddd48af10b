"""Finding the contacts of rows that carry only an e-mail, a bounded number of questions at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from voyado_operator.domain.errors import RunError
from voyado_operator.domain.matching import Match
from voyado_operator.reconcile.ports import Directory
from voyado_operator.workspace import Addresses

IN_FLIGHT = 64  # 200 a second, as long as an answer takes 0.3 s
ANSWERS_PER_CHUNK = 2_000
Learn = Callable[[list[Match]], Awaitable[None]]


async def look_up(addresses: Addresses, directory: Directory, learn: Learn) -> None:
    """Ask Engage for each address and hand the answers on in chunks, those of a lookup that broke off included.

    Raises CredentialsInvalid or EngageUnavailable.
    """
    answers: list[Match] = []
    waiting = iter(addresses.items())
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(IN_FLIGHT, len(addresses))):
                group.create_task(_ask(waiting, directory, answers, learn))
    except* RunError as failures:
        raise failures.exceptions[0] from None
    finally:
        await learn(answers)


async def _ask(waiting: Iterator[tuple[str, str]], directory: Directory, answers: list[Match], learn: Learn) -> None:
    for address_hash, address in waiting:
        status, contact_ids = await directory.find(address)
        answers.append(Match(address_hash, status, contact_ids))
        if len(answers) >= ANSWERS_PER_CHUNK:
            chunk = answers[:]
            answers.clear()
            await learn(chunk)
