"""VoyadoConnection: as activation.py, but for an index, so that all of them are known before a daemon starts."""

from typing import Any

import kopf

from voyado_operator.api.common import GROUP, VERSION, Kind
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.app import App
from voyado_operator.handlers.times import CANCELLED_AFTER, FINISHES_A_BATCH_IN

RESOURCE = (GROUP, VERSION, Kind.CONNECTION.plural)


def register(registry: kopf.OperatorRegistry, app: App) -> None:
    @kopf.index(*RESOURCE, registry=registry)
    async def connections(body: kopf.Body, **_: Any) -> None:
        app.connection_seen(VoyadoConnection.model_validate(dict(body)))

    @kopf.on.event(*RESOURCE, registry=registry)
    async def connection_event(body: kopf.Body, type: str | None, **_: Any) -> None:  # noqa: A002 - Kopf's name
        if type == "DELETED":
            app.connection_gone(VoyadoConnection.model_validate(dict(body)))

    @kopf.daemon(
        *RESOURCE, registry=registry, cancellation_backoff=FINISHES_A_BATCH_IN, cancellation_timeout=CANCELLED_AFTER
    )
    async def connection(body: kopf.Body, stopped: kopf.DaemonStopped, **_: Any) -> None:
        await app.live_connection(VoyadoConnection.model_validate(dict(body)), stopped)
