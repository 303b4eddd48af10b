"""`kubectl voyado approve`: a person looks at a waiting plan and lets it out."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import typer

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import WaitingPlan
from voyado_operator.api.common import APPROVE
from voyado_operator.cli import commands, exit_codes
from voyado_operator.cli.api_server import ApiServer, Unable
from voyado_operator.cli.output import Output
from voyado_operator.cli.show.console import show_aside
from voyado_operator.cli.show.plan import held_back
from voyado_operator.cli.show.words import ago, command, count

NEVER_APPROVED = {
    "reviewBy": "write a later spec.governance.reviewBy into",
    "decidedAt": "select into spec.audience.decidedAt when each person decided, of",
}
"""The guards that no approval passes, and what does."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which plan, and whether the person has said yes already."""

    name: str
    digest: str | None
    is_confirmed: bool


def approve(api: ApiServer, asked: Asked, output: Output, seconds: float | None) -> int:
    """With `seconds`, wait so long for the run that releases it. Raises Unable."""
    now = datetime.now(UTC)
    activation = api.activation(asked.name)
    waiting = releasable(activation, asked.digest, now)
    show_aside(held_back(activation, waiting, now))
    if not asked.is_confirmed:
        _confirm(waiting)
    approved = api.annotate(asked.name, APPROVE, waiting.digest)
    if seconds is None or approved.spec.suspend:
        later = "; it is suspended, and goes out once it is resumed" if approved.spec.suspend else ""
        typer.echo(f"{asked.name}: approved {waiting.digest}{later}")
        return exit_codes.DONE
    return commands.outcome(api, approved, output, seconds, lambda one: one.last_handled_approval == waiting.digest)


def releasable(activation: SegmentActivation, digest: str | None, now: datetime) -> WaitingPlan:
    """The plan that waits. Raises Unable where there is nothing to approve, or not that."""
    name, waiting = activation.metadata.name, activation.status.plan
    if waiting is None:
        raise Unable(f"no plan of {name} waits for approval; see {command('history', activation)}")
    if waiting.expires_at <= now:
        raise Unable(
            f"the plan of {name} expired {ago(waiting.expires_at, now)}; have it computed anew: "
            f"{command('sync', activation)} --wait"
        )
    if digest is not None and digest != waiting.digest:
        raise Unable(f"another plan of {name} waits by now: {waiting.digest}; look at it before you approve it")
    if activation.status.last_handled_approval == waiting.digest:
        raise Unable(f"this plan of {name} was approved already; what the audience still has of it goes out")
    guards = {one.guard for one in waiting.blocked_by}
    if guards and guards <= NEVER_APPROVED.keys():
        cures = " and ".join(NEVER_APPROVED[guard] for guard in sorted(guards))
        raise Unable(f"no approval lets it pass: {cures} {name}")
    return waiting


def _confirm(waiting: WaitingPlan) -> None:
    if not sys.stdin.isatty():
        raise Unable("nobody can be asked here: say --yes, best with --digest so that it is this plan and no other")
    question = f"Let {count(waiting.entering)} enter and {count(waiting.leaving)} leave?"
    if not typer.confirm(question, err=True):
        raise Unable("not approved; the plan goes on waiting")
