"""SIGKILL at any instant, over every target and route: nothing is lost, and nobody is touched who should not be.

`make chaos` runs it with 120 kills; the seed is printed, and CHAOS_SEED repeats it.
"""

import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.world import GOVERNANCE, Status, World, ready
from tests.faults.restarting import Restarting

KILLS = int(os.environ.get("CHAOS_KILLS", "8"))
SEED = int(os.environ.get("CHAOS_SEED", "20261124"))
ROUNDS_BETWEEN_CHECKS = 10
CALL = "/api/v3/contacts/{contactId}/labels/{label}"
ROUTES = {
    "bulk": {"attribute": {"idTemplate": "label_{label}"}},
    "single": {"attribute": {"idTemplate": "label_{label}"}},
    "trigger": {"customTrigger": {"triggerId": "sync-label"}},
    "endpoint": {"endpoint": {"add": {"method": "PUT", "path": CALL}, "remove": {"method": "DELETE", "path": CALL}}},
}
LABELS = {"bulk": "vip", "single": "gold", "trigger": "fired", "endpoint": "called"}
CHOICES = {
    "opt-in": {"preference": {"channel": "Email", "onEnter": "Accept", "onExit": "Decline"}},
    "opt-out": {"preference": {"channel": "Sms", "onEnter": "Decline", "onExit": "Keep"}},
    "consent": {"consent": {"id": "memberTerms", "onEnter": "Accept", "onExit": "Decline"}},
    "refusal": {"consent": {"id": "partnerTerms", "onEnter": "Decline", "onExit": "Keep"}},
}


@dataclass
class Audience:
    """One activation's people: who is in it now, who ever was, and who never was yet."""

    name: str
    fresh: list[str]
    present: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)

    def change(self, dice: random.Random) -> None:
        """Some leave for good, some new ones come; a label's may also come back."""
        leaving = set(dice.sample(sorted(self.present), min(len(self.present), dice.randint(0, 15))))
        entering = {self.fresh.pop() for _ in range(min(len(self.fresh), dice.randint(1, 25)))}
        if self.name in LABELS:
            entering |= set(dice.sample(sorted(self.ever), min(len(self.ever), dice.randint(0, 5))))
        self.present = (self.present - leaving) | entering
        self.ever |= self.present


class Campaign:
    """Kills the operator again and again while audiences change."""

    def __init__(self, world: World, restarting: Restarting) -> None:
        self.world, self.restarting = world, restarting
        self.dice = random.Random(SEED)
        self.approved = 0
        self.outsiders = {one: world.engage.contact(one) for one in world.people(20)}
        size = 60 + 5 * KILLS
        self.audiences = [Audience(name, world.people(size)) for name in (*LABELS, *CHOICES)]

    def begin(self) -> None:
        for route, labels in ROUTES.items():
            mode = "Auto" if route == "bulk" else "Off"
            self.world.apply(self.world.connection(route, labels=labels, bulk={"mode": mode}))
        for audience in self.audiences:
            self.world.postgres.execute(f"create table {self.table(audience)} (contact_id text)")
            self.world.apply(self.manifest(audience))

    def table(self, audience: Audience) -> str:
        return f"{self.world.table}_{audience.name.replace('-', '_')}"

    def manifest(self, audience: Audience) -> Status:
        name = audience.name
        source = self.world.audience(f"select contact_id from {self.table(audience)}", contactId="contact_id")
        spec: Status = {
            "audience": source,
            "connectionRef": {"name": name if name in LABELS else "single"},
            "target": {"label": {"name": LABELS[name]}} if name in LABELS else CHOICES[name],
            "guards": {"maxRemovals": 100_000, "maxAdditions": 100_000, "allowEmpty": True},
        }
        return self.world.activation(name, **spec | ({} if name in LABELS else {"governance": GOVERNANCE}))

    def change(self, audience: Audience) -> None:
        audience.change(self.dice)
        values = ", ".join(f"('{one}')" for one in sorted(audience.present)) or "('')"
        table = self.table(audience)
        self.world.postgres.execute(f"begin; truncate {table}; insert into {table} values {values}; commit")

    def request(self, audience: Audience) -> str:
        token = f"token-{next(self.world._tokens)}"
        self.world.annotate(audience.name, "requestedAt", token)
        return token

    def round(self) -> str:
        """Change some audiences, ask for runs, kill at some point of them, start again; return the point's name."""
        point = self.dice.choice(POINTS)
        faults, wait = point(self)
        self.world.engage.faults(*faults)
        changed = self.dice.sample(self.audiences, 3)
        for audience in changed:
            self.change(audience)
        for audience in changed:
            self.request(audience)
        wait()
        self.restarting.kill()
        self.world.operator = self.restarting.start()
        return point.__name__

    def settle(self) -> None:
        """Without faults, everything becomes as the audiences say."""
        self.world.engage.faults()
        tokens = [self.request(audience) for audience in self.audiences]
        for audience, token in zip(self.audiences, tokens, strict=True):
            for _ in range(5):
                status = self.world.await_status(
                    lambda now, token=token: now.get("lastHandledReconcileAt") == token,  # type: ignore[misc]
                    audience.name,
                )
                if ready(status)["reason"] == "GuardBlocked":
                    self.approve(audience, status)
                elif status["lastRun"]["outcome"] == "Succeeded" or waiting(status):
                    break
                token = self.request(audience)
            else:
                raise AssertionError(f"{audience.name} does not settle: {status}")
            if audience.name == "bulk" and (number := waiting(status)):
                different = self.world.engage.attribute("label_vip") ^ audience.present
                assert len(different) <= number, f"{audience.name}: {status}"
                continue
            assert status["members"] == len(audience.present), f"{audience.name}: {status}"
            self.check(audience)

    def approve(self, audience: Audience, status: Status) -> None:
        """A trigger whose answer a kill cut off: a person says that it may be fired again."""
        assert audience.name == "trigger", status
        plan = status["plan"]
        self.approved += plan["entering"] + plan["leaving"]
        self.world.annotate(audience.name, "approve", plan["digest"])
        self.world.await_status(lambda now: now.get("lastHandledApproval") == plan["digest"], audience.name)

    def check(self, audience: Audience) -> None:
        engage, name = self.world.engage, audience.name
        if name in ("bulk", "single"):
            assert engage.attribute(f"label_{LABELS[name]}") == audience.present
        elif name in LABELS:
            assert engage.labelled(LABELS[name]) == audience.present
        else:
            [(kind, wanted)] = CHOICES[name].items()
            flag = {"Email": "acceptsEmail", "Sms": "acceptsSms"}.get(str(wanted.get("channel")), "")
            shown = engage.preference(flag) if kind == "preference" else engage.consent(str(wanted["id"]))
            if wanted["onEnter"] == "Accept":
                assert shown["true"] == audience.present
                assert shown["false"] <= audience.ever - audience.present
            else:
                assert shown["true"] == set()
                assert audience.present <= shown["false"] <= audience.ever

    def check_triggers(self) -> None:
        """Nothing is fired twice in a row for the same contact, but for what was approved."""
        latest: dict[str, str] = {}
        repeated = Counter[str]()
        for one in self.world.engage.fired():
            repeated[one["contactId"]] += latest.get(one["contactId"]) == one["payload"]["action"]
            latest[one["contactId"]] = one["payload"]["action"]
        assert repeated.total() <= self.approved

    def check_outsiders(self) -> None:
        for one, before in self.outsiders.items():
            assert self.world.engage.contact(one) == before


def waiting(status: Status) -> int:
    """How many changes wait for a bulk update whose id a kill cut off: ten minutes, which no test spends."""
    told = re.search(r"(\d+) wait for a bulk update", status["lastRun"]["message"])
    return int(told[1]) if told else 0


Wait = Callable[[], None]
Point = tuple[list[dict[str, Any]], Wait]


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """A point that does not come within a run's time has been missed, which is as good a point as any."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)


def at_random(campaign: Campaign) -> Point:
    return [{"kind": "latency", "seconds": 0.01}], lambda: time.sleep(campaign.dice.uniform(0.0, 1.5))


def between_send_and_doing(campaign: Campaign) -> Point:
    engage = campaign.world.engage
    before = engage.requests()["writes"]
    fault = {"kind": "latency", "method": None, "path": "contacts/[0-9a-f-]{36}|bulk$|trigger", "seconds": 0.2}
    return [fault], lambda: until(lambda: engage.requests()["writes"] > before + campaign.dice.randint(0, 20))


def between_doing_and_answer(campaign: Campaign) -> Point:
    faults, wait = between_send_and_doing(campaign)
    return [{**faults[0], "kind": "slowAnswer"}], wait


def between_answer_and_checkpoint(campaign: Campaign) -> Point:
    engage = campaign.world.engage
    before = engage.requests()["writes"]

    def wait() -> None:
        until(lambda: engage.requests()["writes"] > before)
        time.sleep(campaign.dice.uniform(0.0, 0.2))

    return [], wait


def in_a_ledger_commit(campaign: Campaign) -> Point:
    def files() -> set[str]:
        found = set[str]()
        with suppress(OSError):
            found = {str(file) for file in campaign.world.ledger.rglob("*") if file.is_file()}
        return found

    before = files()
    more = campaign.dice.randint(1, 12)
    return [], lambda: until(lambda: len(files() - before) >= more)


def in_a_status_write(campaign: Campaign) -> Point:
    def versions() -> list[str]:
        listed = campaign.world.objects.list_namespaced_custom_object(
            "voyado-operator.io", "v1alpha1", campaign.world.namespace, "segmentactivations"
        )
        return [str(one.get("status")) for one in listed["items"]]

    before = versions()
    return [], lambda: until(lambda: versions() != before)


POINTS = [
    at_random,
    between_send_and_doing,
    between_doing_and_answer,
    between_answer_and_checkpoint,
    in_a_ledger_commit,
    in_a_status_write,
]


def test_killed_at_any_instant_nothing_is_lost(world: World, restarting: Restarting) -> None:
    print(f"CHAOS_SEED={SEED} CHAOS_KILLS={KILLS}")
    campaign, counted = Campaign(world, restarting), Counter[str]()
    campaign.begin()
    for number in range(1, KILLS + 1):
        counted[campaign.round()] += 1
        if number % ROUNDS_BETWEEN_CHECKS == 0 or number == KILLS:
            campaign.settle()
            campaign.check_triggers()
            campaign.check_outsiders()
    print(f"{counted.total()} kills: {dict(counted)}; {campaign.approved} triggers approved again")
