"""Play a sequence in a world of its own, settle it, judge it by the invariants; and shorten one that fails."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any
from unittest import mock

import aiohttp

from tests.campaign.drawing import Sequence
from tests.campaign.engage import Engage
from tests.campaign.invariants import broken
from tests.campaign.log import Log, Outcome, Settled
from tests.campaign.process import ACTING
from tests.campaign.steps import approve, delete, take
from tests.campaign.world import World

ROUNDS, CALM_ROUNDS = 8, 1
Broken = dict[str, list[str]]
HURRIED: dict[str, dict[str, Any]] = {
    "voyado_operator.reconcile.canary": {"BETWEEN_LOOKS": 0.0},
    "voyado_operator.reconcile.run": {"WORTH_REMEMBERING": 0},
    "voyado_operator.reconcile.deletion": {"FIRST_WAIT": 0.01, "LONGEST_WAIT": 0.02, "GRACE": timedelta(seconds=0.1)},
    "voyado_operator.targets.bulk": {"FEWEST_ROWS": 2, "LONGEST_WAIT": 0.01},
}
"""Waits that are made for tenants with an hour, and sizes that are made for a million."""


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """Every wait short, every request marked with the activation that it is for."""
    request = aiohttp.ClientSession._request

    async def marked(session: Any, method: str, url: Any, **more: Any) -> Any:
        headers = {**(more.pop("headers", None) or {}), "X-Campaign-Activation": ACTING.get()}
        return await request(session, method, url, headers=headers, **more)

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(aiohttp.ClientSession, "_request", marked))
        for module, values in HURRIED.items():
            for name, value in values.items():
                if hasattr(import_module(module), name):
                    stack.enter_context(mock.patch(f"{module}.{name}", value))
        yield


class Theatre:
    """One event loop and two tenants, for many sequences."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._tenants = [Engage("T0"), Engage("T1")]
        for tenant in self._tenants:
            self._runner.run(tenant.start())

    def play(self, sequence: Sequence) -> tuple[Broken, Log]:
        """What it breaks, and what happened."""
        logging.disable(logging.CRITICAL)
        try:
            with in_a_hurry():
                return self._runner.run(self._played(sequence))
        finally:
            logging.disable(logging.NOTSET)

    async def _played(self, sequence: Sequence) -> tuple[Broken, Log]:
        world = World(self._tenants, sequence.contacts, sequence.operators, share_a_root=sequence.share_a_root)
        try:
            self._set_up(world, sequence)
            for step in sequence.steps:
                await take(world, step)
            await settle(world)
            return broken(world.log), world.log
        finally:
            await world.end()

    def _set_up(self, world: World, sequence: Sequence) -> None:
        world.seed(sequence.accepts, sequence.terms)
        for tenant in self._tenants:
            tenant.batch_asks = sequence.batch_asks
        for name, connection in sequence.connections.items():
            world.connect(name, connection)
        for table, people in enumerate(sequence.tables):
            world.fill(table, {one: None for number, one in enumerate(world.people) if number in people})
        for name, activation in sequence.activations.items():
            world.activate(name, activation)
            world.passed += timedelta(minutes=1)

    def close(self) -> None:
        for tenant in self._tenants:
            self._runner.run(tenant.stop())
        self._runner.close()


async def settle(world: World) -> None:
    """Repair every fault, let hours pass, and let a person approve whatever waits."""
    world.faults, world.meanwhile, world.kill_after = [], {}, None
    was_skewed = any(process.skew for process in world.processes)
    for process in world.processes:
        process.skew = timedelta()
    for name, connection in list(world.connections.items()):
        world.connect(name, connection.repaired())
    for name, activation in list(world.activations.items()):
        if not world.objects.is_deleted(world.key(name)):
            world.activate(name, activation.repaired())
    if was_skewed:  # what a wrong clock has put off comes within an interval
        world.passed += timedelta(minutes=70)
        await world.live()
    await _hours(world)
    if waiting := [name for name in world.activations if _reason(world, name) == "TargetConflict"]:
        _end_the_conflicts(world, waiting)
        await _hours(world)


def _end_the_conflicts(world: World, waiting: list[str]) -> None:
    """Do what TargetConflict asks for: delete the other activations of the target."""
    for name in waiting:
        if world.objects.is_deleted(world.key(name)):
            continue
        for other in world.activations:
            if other != name and world.wish(other).target == world.wish(name).target:
                delete(world, other)


async def _hours(world: World) -> None:
    """Hours pass, until nothing changes any more."""
    calm = 0
    for _ in range(ROUNDS):
        approve(world)
        world.passed += timedelta(minutes=70)
        await world.live()
        calm = calm + 1 if _is_calm(world) else 0
        if calm == CALM_ROUNDS:
            break
    world.log.note(Settled(world.clock(), tuple(_outcomes(world))))


def _reason(world: World, name: str) -> str:
    """What its Ready says."""
    conditions = world.objects.held.get(world.key(name), {}).get("status", {}).get("conditions", [])
    return next((str(one["reason"]) for one in conditions if one["type"] == "Ready"), "")


def _is_calm(world: World) -> bool:
    """Whether nothing waits for an approval, and everything says that it is done or in conflict."""
    for key, one in world.objects.held.items():
        ready: dict[str, Any] = next(
            (each for each in one["status"].get("conditions", []) if each["type"] == "Ready"), {}
        )
        if key[0] == "SegmentActivation" and (
            one["status"].get("plan") or not (ready.get("status") == "True" or ready.get("reason") == "TargetConflict")
        ):
            return False
    return True


def _outcomes(world: World) -> Iterator[Outcome]:
    for name in world.activations:
        key = world.key(name)
        if world.objects.is_deleted(key):
            continue
        conditions = {one["type"]: one for one in world.objects.held[key]["status"].get("conditions", [])}
        ready: dict[str, str] = conditions.get("Ready", {})
        said = world.wish(name)
        shown: dict[str, bool | None] = {}
        if said.target is not None:
            tenant = next(one for one in world.tenants if said.target.startswith(f"{one.name}/"))
            shown = {one: tenant.value(one, said.target.split("/", 1)[1]) for one in world.people}
        yield Outcome(
            world.key_name(name),
            said,
            ready.get("status", ""),
            ready.get("reason", ""),
            ready.get("message", ""),
            conditions.get("Stalled", {}).get("status") == "True",
            shown,
        )


def shortened(sequence: Sequence, fails: Callable[[Sequence], bool]) -> Sequence:
    """The same failure with as few steps as leaving out single ones and halves of them comes to."""
    size = max(1, len(sequence.steps) // 2)
    while size:
        start, was_shorter = 0, False
        while start < len(sequence.steps):
            steps = sequence.steps[:start] + sequence.steps[start + size :]
            if fails(shorter := replace(sequence, steps=steps)):
                sequence, was_shorter = shorter, True
            else:
                start += size
        if not was_shorter:
            size //= 2
    return sequence
