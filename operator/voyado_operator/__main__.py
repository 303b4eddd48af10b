"""`voyado-operator run`, and what people run beside it. Each command imports only what it needs."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from voyado_operator.cli.output import Output
from voyado_operator.loading import kept_for_good

if TYPE_CHECKING:
    from voyado_operator.settings import Settings

cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@cli.callback()
def about() -> None:
    """Keeps labels, preferences and consents in Voyado Engage aligned with audiences of a warehouse."""


@cli.command(name="contact")
def show_contact(
    contact_id: Annotated[str, typer.Argument(metavar="ID", help="The contactId.")],
    forget: Annotated[bool, typer.Option("--forget", help="Erase it from all ledgers.")] = False,  # noqa: FBT002
    without_trace: Annotated[  # noqa: FBT002
        bool, typer.Option("--without-trace", help="With --forget: leave no keyed hash of it either.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Erase without a trace, and do not ask.")] = False,  # noqa: FBT002
) -> None:
    """Show in which ledgers a contact is recorded, and since when; run it in the operator's pod."""
    if without_trace and not forget:
        raise typer.BadParameter("--without-trace goes with --forget")
    if not forget:
        from voyado_operator.cli.contact import show

        raise typer.Exit(show(settings_or_exit().ledger_url, contact_id))
    from voyado_operator.cli import forgetting

    trace = forgetting.Trace.MOMENT if without_trace else forgetting.Trace.HASH
    agreed = (lambda _: True) if yes else typer.confirm
    raise typer.Exit(forgetting.forget(settings_or_exit(), contact_id, trace, agreed))


@cli.command(name="check")
def check_manifests(
    more: Annotated[list[str] | None, typer.Argument(metavar="FILE_OR_DIR", help="The same as -f.")] = None,
    files: Annotated[
        list[str] | None,
        typer.Option("--filename", "-f", metavar="FILE_OR_DIR", help="A file, a folder, or - for stdin; repeat it."),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How findings are printed.")] = Output.TEXT,
) -> None:
    """Validate manifests without a cluster. Exit code 0: nothing but warnings, 1: errors, 2: wrong usage."""
    from voyado_operator.cli.check.command import check

    if not (given := [*(files or []), *(more or [])]):
        raise typer.BadParameter("say what to check, e.g. -f manifests/")
    raise typer.Exit(check(given, output))


def settings_or_exit() -> "Settings":
    from voyado_operator.settings import InvalidSettings, from_environment

    try:
        return from_environment(os.environ)
    except InvalidSettings as error:
        typer.echo(f"voyado-operator: {error}", err=True)
        raise typer.Exit(2) from None


@cli.command()
def run() -> None:
    """Run the operator, in the cluster or against KUBECONFIG. Settings: VOYADO_OPERATOR_… in the environment."""
    with kept_for_good():
        import asyncio

        import uvloop

        from voyado_operator.handlers.operate import operate
        from voyado_operator.telemetry import logging

    settings = settings_or_exit()
    logging.configure(settings.log_format, settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(operate(settings))
    # A thread that still waits for a warehouse would hold the process until the query's time-out.
    sys.stderr.flush()
    os._exit(0)


def main() -> None:
    cli()


if __name__ == "__main__":
    main()
