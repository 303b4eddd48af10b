"""`voyado-operator run`."""

import asyncio
import os
import signal
import sys
from functools import partial
from typing import Annotated

import kopf
import typer
import uvloop

from voyado_operator.app import App
from voyado_operator.cli.contact import contact
from voyado_operator.handlers import activation, connection, operator
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
    settings = settings_or_exit()
    logging.configure(settings.log_format, settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(operate(settings))
    # A thread that still waits for a warehouse would hold the process until the query's time-out.
    sys.stderr.flush()
    os._exit(0)


async def operate(settings: Settings) -> None:
    """Until SIGTERM, or until a watch fails for good.

    No stop_flag: Kopf 1.45 forgets the task that waits for it, and waits 5 s for that task at every exit.
    """
    app, registry = App(settings, end=partial(signal.raise_signal, signal.SIGTERM)), kopf.OperatorRegistry()
    for handlers in (operator, connection, activation):
        handlers.register(registry, app)
    await kopf.operator(
        registry=registry,
        standalone=True,
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
        liveness_endpoint=f"http://0.0.0.0:{settings.health_port}/healthz",
    )


def main() -> None:
    cli()


if __name__ == "__main__":
    main()
