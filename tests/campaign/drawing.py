"""Sequences are drawn from a seed alone: who there is, and what happens."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.campaign.manifests import ROUTES, TABLES, TARGETS, Activation, Connection
from tests.campaign.steps import CHOICES, FAULTS, Step


@dataclass(frozen=True, slots=True)
class Sequence:
    """A world and its steps."""

    contacts: int
    operators: int
    share_a_root: bool
    accepts: dict[int, bool]
    terms: dict[int, bool | None]
    batch_asks: int
    connections: dict[str, Connection]
    activations: dict[str, Activation]
    tables: list[list[int]]
    steps: tuple[Step, ...]

    def described(self) -> str:
        """The world in a few lines."""
        lines = [f"  {self.contacts} contacts, {self.operators} operators, one root: {self.share_a_root}"]
        lines += [f"  {name}: {one}" for name, one in {**self.connections, **self.activations}.items()]
        lines += [f"  accepts e-mail {self.accepts}, terms {self.terms}, audiences {self.tables}"]
        return "\n".join(lines)


Draw = Callable[[random.Random], Step | tuple[Step, ...]]
EDITS: dict[str, tuple[Any, ...]] = {
    "target": TARGETS,
    "table": tuple(range(TABLES)),
    "keeps": (True, False),
    "policy": ("Retain", "Withdraw"),
    "mode": ("Enforce", "Plan"),
    "suspend": (True, False),
    "most": (100, 100, 1, 2),
    "by": ("contact_id", "email"),
    "connection": ("engage", "other"),
}
EDITS_OF_CONNECTIONS: dict[str, tuple[Any, ...]] = {
    "tenant": (0, 1),
    "slash": (True, False),
    "route": tuple(ROUTES),
    "type": (None, "Member"),
    "suspend": (True, False),
    "bulk": ("Auto", "Off"),
    "key": ("good", "bad"),
}


def _people(draw: random.Random) -> list[int]:
    return [number for number in range(8) if draw.random() < draw.choice((0.3, 0.7))]


def _audience(draw: random.Random) -> Step:
    people = _people(draw)
    decided = [one for one in people if draw.random() < draw.choice((0.0, 0.0, 0.7))]
    return "audience", draw.randrange(TABLES), people, decided


def _decides(draw: random.Random) -> Step:
    return "decides", draw.randrange(8), draw.choice(CHOICES), draw.random() < 0.4


def _edit(draw: random.Random) -> Step:
    field = draw.choice(["target", "target", "target", *EDITS])
    return "edit", draw.choice("ab"), field, draw.choice(EDITS[field])


def _edit_connection(draw: random.Random) -> Step:
    field = draw.choice(["route", *EDITS_OF_CONNECTIONS])
    return "edit_connection", draw.choice(("engage", "other")), field, draw.choice(EDITS_OF_CONNECTIONS[field])


def _swap(draw: random.Random) -> Step:
    return "edit", draw.choice("ab"), "target", draw.choice(TARGETS[:2])


def _run(draw: random.Random) -> Step:
    return "run", draw.choice((["a"], ["b"], ["a", "b"])), [], None, draw.random() < 0.3


def _with_work(draw: random.Random, run: Step) -> tuple[Step, ...]:
    """The run, mostly one that has something to change."""
    return (_audience(draw), run) if draw.random() < 0.8 else (run,)


def _broken_run(draw: random.Random) -> tuple[Step, ...]:
    """Some requests go well, then one or several in a row go wrong."""
    faults = ["" for _ in range(draw.randrange(12))] + draw.choices(FAULTS, k=draw.choice((1, 2)))
    faults += [draw.choice(FAULTS)] * draw.choice((0, 2, 4))
    return _with_work(draw, ("run", ["a", "b"], faults, None, draw.random() < 0.3))


def _lost_answer(draw: random.Random) -> tuple[Step, ...]:
    """Engage does what it is asked, its answer is lost, and the person says the opposite at once."""
    request, target = draw.randrange(3, 14), draw.choice(CHOICES)
    said = ("decides", draw.randrange(8), target, False)
    faults = ["" for _ in range(request - 1)] + ["hang up after"]
    meanwhile = ("during_the_next_run", request + 1, said)
    return meanwhile, *_with_work(draw, ("run", ["a", "b"], faults, None, False))


def _killed_run(draw: random.Random) -> tuple[Step, ...]:
    return _with_work(draw, ("run", ["a", "b"], [], draw.randrange(40), draw.random() < 0.3))


def _meanwhile(*others: Draw) -> Draw:
    def during(draw: random.Random) -> tuple[Step, ...]:
        meanwhile = ("during_the_next_run", draw.randrange(1, 25), draw.choice(others)(draw))
        return meanwhile, *_with_work(draw, _run(draw))

    return during


def _of_an_activation(what: str) -> Draw:
    return lambda draw: (what, draw.choice("ab"))


def _of_an_operator(what: str) -> Draw:
    return lambda draw: (what, draw.randrange(2))


def _damage(draw: random.Random) -> Step:
    return "damage", draw.randrange(2), draw.randrange(1000), draw.choice(("overwritten", "cut short", "gone"))


def _move(draw: random.Random) -> Step:
    return "move", draw.randrange(2), draw.choice(("moved", "copied", "empty", "respelled"))


def _forget(draw: random.Random) -> Step:
    return "forget", draw.randrange(8)


def _clock(draw: random.Random) -> Step:
    return "clock", draw.randrange(2), draw.choice((0, -3, 3, 24 * 400))


def _wait(draw: random.Random) -> Step:
    return "wait", draw.choice((20, 70, 60 * 25, 60 * 24 * 9))


def _approve(_: random.Random) -> Step:
    return ("approve",)


_delete, _apply_again, _empty = map(_of_an_activation, ("delete", "apply_again", "empty_status"))
_back_up, _restore, _lose, _restart = map(_of_an_operator, ("back_up", "restore", "lose", "restart"))
EDITING: tuple[Draw, ...] = (_audience, _audience, _edit, _edit, _edit_connection, _approve, _wait)
DECIDING: tuple[Draw, ...] = (_audience, _audience, _decides, _decides, _edit, _forget, _meanwhile(_decides), _wait)
LEDGERS: tuple[Draw, ...] = (_audience, _decides, _edit, _back_up, _restore, _lose, _damage, _move, _empty, _restart)
TWO: tuple[Draw, ...] = (_audience, _swap, _edit, _edit, _edit_connection, _delete, _apply_again, _approve)
BREAKING: tuple[Draw, ...] = (
    _audience,
    _decides,
    _edit,
    _killed_run,
    _killed_run,
    _broken_run,
    _broken_run,
    _lost_answer,
    _meanwhile(_decides, _edit, _edit_connection, _forget, _approve, _audience),
    _approve,
)
EVERYTHING: tuple[Draw, ...] = (*EDITING, *DECIDING, *LEDGERS, *TWO, *BREAKING, _clock)
SLICES: dict[str, tuple[Draw, ...]] = {
    "edits": EDITING,
    "decisions": DECIDING,
    "ledgers": LEDGERS,
    "two activations": TWO,
    "kills and faults": BREAKING,
    "two operators": (*EDITING, *TWO, _clock),
    "everything": EVERYTHING,
}


def drawn(seed: int) -> Sequence:
    """The sequence of a seed."""
    draw = random.Random(seed)
    name = list(SLICES)[seed % len(SLICES)]
    is_about_two = name in ("two activations", "two operators") or (name == "everything" and draw.random() < 0.5)
    operators = 2 if name == "two operators" or (name == "everything" and draw.random() < 0.2) else 1
    targets = {"edits": TARGETS[:2], "decisions": TARGETS[2:]}.get(name, TARGETS)
    activations = {
        one: Activation(
            table=draw.randrange(TABLES),
            target=draw.choice(targets),
            policy=draw.choice(("Retain", "Withdraw")),
            keeps=draw.random() < 0.2,
            by=draw.choice(("contact_id", "contact_id", "email")),
            most=draw.choice((100, 100, 2, 1)),
        )
        for one in ("ab" if is_about_two else "a")
    }
    routes = ("label", "label", "trigger", "endpoint", "tag")
    connections = {
        one: Connection(route=draw.choice(routes), bulk=draw.choice(("Auto", "Off"))) for one in ("engage", "other")
    }
    steps: list[Step] = [("run", ["a", "b"], [], None, False)] if draw.random() < 0.7 else []
    for _ in range(draw.randrange(3, 8)):
        chosen = draw.choice(SLICES[name])(draw)
        steps += [chosen] if isinstance(chosen[0], str) else chosen
        if steps[-1][0] not in ("run", "wait") and draw.random() < 0.7:
            steps.append(_run(draw))
    contacts = draw.randrange(4, 9)
    return Sequence(
        contacts=contacts,
        operators=operators,
        share_a_root=draw.random() < 0.5,
        accepts={number: draw.random() < 0.5 for number in range(contacts)},
        terms={number: draw.choice((None, True, False)) for number in range(contacts)},
        batch_asks=draw.choice((0, 0, 1, 4, 12)),
        connections=connections,
        activations=activations,
        tables=[_people(draw) for _ in range(TABLES)],
        steps=tuple(steps),
    )
