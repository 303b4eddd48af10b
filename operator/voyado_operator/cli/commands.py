"""What each command of `kubectl voyado` does; kubectl.py has their options."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import typer

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.api.common import PLAN_REQUESTED_AT, REQUESTED_AT, TAKE_OVER
from voyado_operator.cli import exit_codes
from voyado_operator.cli.api_server import ApiServer, Unable, Whereabouts
from voyado_operator.cli.output import Output
from voyado_operator.cli.progress import live
from voyado_operator.cli.show import history as shown_history
from voyado_operator.cli.show import status as shown_status
from voyado_operator.cli.show.console import console, print_json, show
from voyado_operator.cli.show.plan import plan as shown_plan
from voyado_operator.cli.show.plan import plan_json, waiting_plan, would_block
from voyado_operator.cli.show.run import finished, run_json
from voyado_operator.cli.show.words import command
from voyado_operator.cli.waiting import TimedOut, Waiting

Answered = Callable[[SegmentActivationStatus], bool]


def at(kubeconfig: str | None, context: str | None, namespace: str | None) -> ApiServer:
    """Raises Unable, as everything here does."""
    return ApiServer(Whereabouts(kubeconfig, context, namespace))


def status(api: ApiServer, output: Output, *, everywhere: bool) -> None:
    namespace = None if everywhere else api.namespace
    seen = shown_status.Overview(api.activations(namespace), api.connections(namespace), _now(), everywhere)
    if output is Output.JSON:
        print_json(shown_status.as_json(seen))
        return
    show(shown_status.overview(seen, console().width))


def plan(api: ApiServer, name: str, output: Output, seconds: float | None) -> int:
    """With `seconds`, wait so long for the plan and show it."""
    activation, token = able_to_run(api, name), fresh_token()
    # With mode: Plan every run is a plan, and it is the run that is answered for.
    is_request = activation.spec.mode == "Plan"
    asked = api.annotate(name, REQUESTED_AT if is_request else PLAN_REQUESTED_AT, token)
    if seconds is None:
        typer.echo(f"plan of {name} asked for; see {command('plan', asked)} --wait")
        return exit_codes.DONE
    done, code = answer(
        api, asked, seconds, lambda one: token in (one.last_handled_reconcile_at, one.last_handled_plan_at)
    )
    if done is None:
        return code
    if output is Output.JSON:
        print_json(plan_json(done))
    else:
        show(shown_plan(done))
    failed = done.status.last_run is not None and done.status.last_run.outcome == "Failed"
    if failed:
        return exit_codes.FAILED
    return exit_codes.BLOCKED if would_block(done) else exit_codes.DONE


def sync(api: ApiServer, name: str, output: Output, seconds: float | None) -> int:
    """With `seconds`, wait so long for the run and show it."""
    able_to_run(api, name)
    token = fresh_token()
    asked = api.annotate(name, REQUESTED_AT, token)
    if seconds is None:
        typer.echo(f"run of {name} asked for; see kubectl voyado status -n {asked.metadata.namespace}")
        return exit_codes.DONE
    return outcome(api, asked, output, seconds, lambda one: one.last_handled_reconcile_at == token)


def take_over(api: ApiServer, name: str, owner: str, output: Output, seconds: float | None) -> int:
    """Ask for the target that `owner` can never release, and run; with `seconds`, wait so long for that run."""
    if len(parts := owner.split("/")) != 3 or not all(parts):
        raise Unable(
            "--from must be an owner as the message of the TargetConflict names it: CLUSTER-UID/NAMESPACE/NAME"
        )
    able_to_run(api, name)
    api.annotate(name, TAKE_OVER, f"{owner} {fresh_token()}")
    return sync(api, name, output, seconds)


def suspend(api: ApiServer, name: str) -> None:
    if api.activation(name).spec.suspend:
        typer.echo(f"{name} was suspended already")
        return
    suspended = api.suspend(name)
    typer.echo(f"{name} is suspended; let it run again with {command('resume', suspended)}")


def resume(api: ApiServer, name: str) -> None:
    activation = api.activation(name)
    was_suspended = activation.spec.suspend
    if was_suspended:
        activation = api.resume(name)
    typer.echo(f"{name} {'is resumed; what is due runs at once' if was_suspended else 'was not suspended'}")
    connection = api.connection_of(activation)
    if connection is not None and connection.spec.suspend:
        typer.echo(f"its VoyadoConnection {connection.metadata.name} is suspended, so it does not run yet", err=True)


def history(api: ApiServer, name: str, output: Output) -> None:
    activation = api.activation(name)
    if output is Output.JSON:
        print_json(shown_history.history_json(activation))
    else:
        show(shown_history.history(activation, _now()))


def able_to_run(api: ApiServer, name: str) -> SegmentActivation:
    """The activation. Raises Unable where asking would be in vain until somebody resumes something."""
    activation = api.activation(name)
    if activation.spec.suspend:
        raise Unable(f"{name} is suspended; first {command('resume', activation)}")
    connection = api.connection_of(activation)
    if connection is not None and connection.spec.suspend:
        raise Unable(f"the VoyadoConnection {connection.metadata.name} of {name} is suspended; resume it first")
    return activation


def outcome(api: ApiServer, asked: SegmentActivation, output: Output, seconds: float, answered: Answered) -> int:
    """Wait for the run, show it, and return what its outcome exits with."""
    done, code = answer(api, asked, seconds, answered)
    if done is None or done.status.last_run is None:
        return code
    run, waiting = done.status.last_run, done.status.plan
    if output is Output.JSON:
        print_json(run_json(done, run))
    else:
        show(finished(done, run))
        if waiting is not None:
            show("", waiting_plan(done, waiting, _now()))
    return exit_codes.OF_OUTCOME[run.outcome]


def answer(
    api: ApiServer, asked: SegmentActivation, seconds: float, answered: Answered
) -> tuple[SegmentActivation | None, int]:
    """The activation once it is answered; None, and what to exit with, where that was not waited for."""
    name, see = asked.metadata.name, f"the run goes on; see kubectl voyado status -n {asked.metadata.namespace}"
    try:
        with live(name) as told:
            return Waiting(api, seconds, told).until(asked, answered), exit_codes.DONE
    except TimedOut as why:
        typer.echo(f"kubectl voyado: {name} is not done after {seconds:g} s: {why}; {see}", err=True)
        return None, exit_codes.TIMED_OUT
    except KeyboardInterrupt:
        typer.echo(f"kubectl voyado: no longer waiting; {see}", err=True)
        return None, exit_codes.INTERRUPTED


def fresh_token() -> str:
    return f"{_now():%Y-%m-%dT%H:%M:%SZ}-{secrets.token_hex(3)}"


def _now() -> datetime:
    return datetime.now(UTC)
