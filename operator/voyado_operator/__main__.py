"""`voyado-operator run`."""

import asyncio
import os
import sys
from typing import Annotated

import typer
import uvloop

from voyado_operator.cli.contact import contact
from voyado_operator.settings import InvalidSettings, Settings, from_environment
from voyado_operator.telemetry import logging

cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@cli.callback()
def about() -> None:
    """Keeps labels, preferences and consents in Voyado Engage aligned with audiences of a warehouse."""


@cli.command(name="contact")
def show_contact(
    contact_id: Annotated[str, typer.Argument(metavar="ID", help="The contactId.")],
    forget: Annotated[bool, typer.Option("--forget", help="Erase it from all ledgers.")] = False,  # noqa: FBT002
) -> None:
    """Show in which ledgers a contact is recorded, and since when; run it in the operator's pod."""
    raise typer.Exit(contact(settings_or_exit().ledger_url, contact_id, forget=forget))


def settings_or_exit() -> Settings:
    try:
        return from_environment(os.environ)
    except InvalidSettings as error:
        typer.echo(f"voyado-operator: {error}", err=True)
        raise typer.Exit(2) from None


@cli.command()
def run() -> None:
    """Run the operator, in the cluster or against KUBECONFIG. Settings: VOYADO_OPERATOR_… in the environment."""
    from voyado_operator.handlers.operate import operate  # takes a second, which other commands need not wait for

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
