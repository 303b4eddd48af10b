"""`kubectl voyado`, a plugin of kubectl: how audiences are doing, and what a person may ask of the operator.

Nothing heavy is imported before a command runs: `--help` and completion answer at once.
"""

import sys
from typing import Annotated, Any

import typer

from voyado_operator.cli import exit_codes
from voyado_operator.cli.output import Output

cli = typer.Typer(
    name="kubectl voyado",
    help="See how audiences and Voyado Engage agree, and ask the operator for runs, plans and releases.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _seconds(text: object) -> float:
    """kubectl's durations, such as 90s or 1h30m."""
    from durationpy import DurationError, from_str

    try:
        seconds = from_str(str(text)).total_seconds()
    except DurationError:
        raise typer.BadParameter(f"{text!r} is no duration; write e.g. 90s or 10m") from None
    if seconds < 1:
        raise typer.BadParameter("wait a second or more, e.g. 90s")
    return seconds


def _names(context: typer.Context, incomplete: str) -> list[str]:
    from voyado_operator.cli.completion import names

    return names(context.params, incomplete)


Name = Annotated[str, typer.Argument(metavar="NAME", help="The SegmentActivation.", autocompletion=_names)]
Namespace = Annotated[str | None, typer.Option("--namespace", "-n", help="Default: the context's.", metavar="NAME")]
Context = Annotated[str | None, typer.Option("--context", help="Of the kubeconfig.", metavar="NAME")]
Kubeconfig = Annotated[str | None, typer.Option("--kubeconfig", help="Default: KUBECONFIG.", metavar="FILE")]
Format = Annotated[Output, typer.Option("--output", "-o", help="How results are printed.")]
Timeout = Annotated[
    float, typer.Option("--timeout", help="How long to wait; the run goes on.", parser=_seconds, metavar="DURATION")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done, and show its numbers.")]
TEN_MINUTES: Any = "10m"
"""As the help shows it; the parser makes seconds of it."""


@cli.command()
def status(
    namespace: Namespace = None,
    everywhere: Annotated[bool, typer.Option("--all-namespaces", "-A", help="Of all namespaces.")] = False,  # noqa: FBT002
    output: Format = Output.TEXT,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show what is aligned, what waits and for whom, what fails and why."""
    from voyado_operator.cli import commands

    commands.status(commands.at(kubeconfig, context, namespace), output, everywhere=everywhere)


@cli.command()
def plan(
    name: Name,
    wait: Wait = True,  # noqa: FBT002
    timeout: Timeout = TEN_MINUTES,
    output: Format = Output.TEXT,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Compute what a run would do now, and send nothing."""
    from voyado_operator.cli import commands

    seconds = timeout if wait else None
    raise typer.Exit(commands.plan(commands.at(kubeconfig, context, namespace), name, output, seconds))


@cli.command()
def sync(
    name: Name,
    wait: Wait = False,  # noqa: FBT002
    timeout: Timeout = TEN_MINUTES,
    output: Format = Output.TEXT,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Run now."""
    from voyado_operator.cli import commands

    seconds = timeout if wait else None
    raise typer.Exit(commands.sync(commands.at(kubeconfig, context, namespace), name, output, seconds))


@cli.command("take-over")
def take_over(
    name: Name,
    owner: Annotated[str, typer.Option("--from", help="The former owner: CLUSTER-UID/NAMESPACE/NAME.")],
    wait: Wait = True,  # noqa: FBT002
    timeout: Timeout = TEN_MINUTES,
    output: Format = Output.TEXT,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Hand a target over whose owner can never release it, such as one of a cluster that is gone; then run."""
    from voyado_operator.cli import commands

    seconds = timeout if wait else None
    raise typer.Exit(commands.take_over(commands.at(kubeconfig, context, namespace), name, owner, output, seconds))


@cli.command()
def suspend(name: Name, namespace: Namespace = None, context: Context = None, kubeconfig: Kubeconfig = None) -> None:
    """Stop running until it is resumed: sets spec.suspend."""
    from voyado_operator.cli import commands

    commands.suspend(commands.at(kubeconfig, context, namespace), name)


@cli.command()
def resume(name: Name, namespace: Namespace = None, context: Context = None, kubeconfig: Kubeconfig = None) -> None:
    """Run again as scheduled; what is due runs at once."""
    from voyado_operator.cli import commands

    commands.resume(commands.at(kubeconfig, context, namespace), name)


@cli.command()
def approve(
    name: Name,
    digest: Annotated[str | None, typer.Option("--digest", help="Only if this is the plan that waits.")] = None,
    yes: Yes = False,  # noqa: FBT002
    wait: Wait = False,  # noqa: FBT002
    timeout: Timeout = TEN_MINUTES,
    output: Format = Output.TEXT,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show the plan that a guard holds back, and release it."""
    from voyado_operator.cli import approval, commands

    asked = approval.Asked(name, digest, is_confirmed=yes)
    seconds = timeout if wait else None
    raise typer.Exit(approval.approve(commands.at(kubeconfig, context, namespace), asked, output, seconds))


@cli.command()
def history(
    name: Name,
    output: Format = Output.TEXT,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show the latest runs and how the membership went."""
    from voyado_operator.cli import commands

    commands.history(commands.at(kubeconfig, context, namespace), name, output)


def main() -> None:
    try:
        cli()
    except Exception as error:
        from voyado_operator.cli.api_server import Unable

        if not isinstance(error, Unable):
            raise
        typer.echo(f"kubectl voyado: {error}", err=True)
        sys.exit(exit_codes.UNABLE)


if __name__ == "__main__":
    main()
