"""Kopf with all handlers, from the start of the operator to its end."""

import signal
from functools import partial

import kopf

from voyado_operator.app import App
from voyado_operator.handlers import activation, connection, operator
from voyado_operator.settings import Settings


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
