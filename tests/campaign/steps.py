"""What can happen: each step is a few plain values, so that a sequence can be printed, repeated and shortened."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.campaign.log import Approved, Deleted, LedgersChanged, StatusEmptied
from tests.campaign.world import World, copy_tree

Step = tuple[Any, ...]
"""A name of STEPS, and its arguments."""

CHOICES = ("preference:acceptsEmail", "consent:memberTerms")
FAULTS = ("502", "429", "422", "hang up before", "hang up after", "")


def audience(world: World, table: int, people: list[int], decided: list[int]) -> None:
    """The warehouse's `table` holds these people; of `decided` each decided minutes ago."""
    now = world.clock()
    rows: dict[str, datetime | None] = {}
    for number in people:
        one = world.people[number % len(world.people)]
        ago = timedelta(minutes=3, seconds=7 * number)
        rows[one] = now - ago if number in decided else world.tables[table].get(one)
    world.fill(table, rows)


def decides(world: World, number: int, target: str, value: bool) -> None:
    """A person says yes or no in Engage."""
    for tenant in world.tenants:
        tenant.decide(world.people[number % len(world.people)], target, value=value)


def edit(world: World, name: str, field: str, value: Any) -> None:
    """An activation is edited."""
    if name in world.activations and not world.objects.is_deleted(world.key(name)):
        world.activate(name, replace(world.activations[name], **{field: value}))


def edit_connection(world: World, name: str, field: str, value: Any) -> None:
    """A connection is edited."""
    if name in world.connections:
        world.connect(name, replace(world.connections[name], **{field: value}))


def delete(world: World, name: str) -> None:
    """An activation is deleted."""
    if name in world.activations and not world.objects.is_deleted(world.key(name)):
        world.log.note(Deleted(world.clock(), world.key_name(name)))
        world.objects.delete(world.key(name))


def apply_again(world: World, name: str) -> None:
    """An activation that is gone is applied again, as it was."""
    if name in world.activations and world.key(name) not in world.objects.held:
        world.apply_again(name)


def approve(world: World) -> None:
    """A person approves whatever plans wait."""
    for name in world.activations:
        found = world.objects.held.get(world.key(name), {})
        if plan := found.get("status", {}).get("plan"):
            changes = plan["entering"] + plan["leaving"]
            said = {one["guard"]: one["message"] for one in plan["blockedBy"]}
            in_doubt = int(said.get("lostLedger", "0").split()[0])
            world.log.note(Approved(world.clock(), world.key_name(name), changes, in_doubt))
            world.objects.annotate(world.key(name), "approve", plan["digest"])


def empty_status(world: World, name: str) -> None:
    """A status is emptied, as in a cluster that was built anew; the operator starts anew too."""
    if world.key(name) in world.objects.held:
        world.log.note(StatusEmptied(world.clock(), world.key_name(name)))
        world.objects.set_status(world.key(name), {})


def forget(world: World, number: int) -> None:
    """A contact is erased from the ledgers."""
    world.forget(world.people[number % len(world.people)])


def back_up(world: World, number: int) -> None:
    """An operator's ledgers are copied somewhere."""
    root = world.process(number).root
    shutil.rmtree(world.folder / f"backup-{root.parent.name}", ignore_errors=True)
    copy_tree(root, world.folder / f"backup-{root.parent.name}")


def restore(world: World, number: int) -> None:
    """What was copied is put back."""
    root = world.process(number).root
    backup = world.folder / f"backup-{root.parent.name}"
    if backup.exists():
        shutil.rmtree(root)
        copy_tree(backup, root)
        world.log.note(LedgersChanged(world.clock(), "restored"))


def lose(world: World, number: int) -> None:
    """An operator's ledgers are gone."""
    root = world.process(number).root
    if any(root.iterdir()):
        shutil.rmtree(root)
        root.mkdir()
        world.log.note(LedgersChanged(world.clock(), "lost"))


def damage(world: World, number: int, which: int, how: str) -> None:
    """One file of an operator's ledgers is overwritten, cut short or gone."""
    root = world.process(number).root
    files = sorted(one for one in root.rglob("*") if one.is_file())
    if not files:
        return
    file: Path = files[which % len(files)]
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(b"damaged" if how == "overwritten" else file.read_bytes()[:10])
    world.log.note(LedgersChanged(world.clock(), f"damaged: {how}"))


async def move(world: World, number: int, how: str) -> None:
    """An operator is told of another root: with the ledgers moved or copied there, or empty; or the same, respelled."""
    process = world.process(number)
    await world.restart(process)
    if how == "respelled":
        process.url = f"file://{process.root.parent}//{process.root.name}/"
        return
    new, old = world.new_root(), process.root
    new.rmdir()
    if how == "moved":
        old.rename(new)
        old.mkdir()
    elif how == "copied":
        copy_tree(old, new)
    else:
        new.mkdir()
        world.log.note(LedgersChanged(world.clock(), "another root"))
    process.root, process.url = new, f"file://{new}"


async def restart(world: World, number: int) -> None:
    """An operator ends in good order and starts anew."""
    await world.restart(world.process(number))


def clock(world: World, number: int, hours: int) -> None:
    """The clock of an operator's node goes wrong, or right."""
    world.process(number).skew = timedelta(hours=hours)


async def run(world: World, names: list[str], faults: list[str], kill: int | None, at_once: bool) -> None:
    """A run is asked for; on its way requests go wrong, or the operators die."""
    world.passed += timedelta(minutes=10)
    for name in names:
        if world.key(name) in world.objects.held:
            world.objects.annotate(world.key(name), "requestedAt", f"{world.clock():%H%M%S%f}")
    world.faults, world.kill_after = list(faults), kill
    await world.live(at_once=at_once)
    world.faults = []


async def wait(world: World, minutes: int) -> None:
    """Time passes, and what is due runs."""
    world.passed += timedelta(minutes=minutes)
    await world.live()


async def during_the_next_run(world: World, request: int, step: Step) -> None:
    """When the next run has sent so many requests, something else happens, before the next one is answered."""
    world.meanwhile[request] = lambda: STEPS_AT_ONCE[step[0]](world, *step[1:])


STEPS_AT_ONCE: dict[str, Callable[..., None]] = {
    one.__name__: one
    for one in (
        audience,
        decides,
        edit,
        edit_connection,
        delete,
        apply_again,
        approve,
        empty_status,
        forget,
        back_up,
        restore,
        lose,
        damage,
        clock,
    )
}
STEPS: dict[str, Callable[..., Awaitable[None]]] = {
    one.__name__: one for one in (move, restart, run, wait, during_the_next_run)
}


async def take(world: World, step: Step) -> None:
    """Let it happen."""
    if at_once := STEPS_AT_ONCE.get(step[0]):
        world.passed += timedelta(minutes=10)
        at_once(world, *step[1:])
    else:
        await STEPS[step[0]](world, *step[1:])
