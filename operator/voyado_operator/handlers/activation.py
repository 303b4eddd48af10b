"""SegmentActivation: the watch feeds the registry, a daemon per object lives its life (operators.md 1.3)."""

from typing import Any

import kopf

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.common import GROUP, VERSION, Kind
from voyado_operator.app import App
from voyado_operator.handlers.times import CANCELLED_AFTER, FINISHES_A_BATCH_IN

RESOURCE = (GROUP, VERSION, Kind.ACTIVATION.plural)


def register(registry: kopf.OperatorRegistry, app: App) -> None:
    @kopf.on.event(*RESOURCE, registry=registry)
    async def activation_event(event: Any, body: kopf.Body, **_: Any) -> None:
        """Every object of the first listing and every version after it, before its daemon is started."""
        event["object"]["metadata"].pop("managedFields", None)  # half of what Kopf keeps, and nothing to us
        seen = SegmentActivation.model_validate(dict(body))
        if event["type"] == "DELETED":
            app.activation_gone(seen)
        else:
            app.activation_seen(seen)

    @kopf.daemon(
        *RESOURCE, registry=registry, cancellation_backoff=FINISHES_A_BATCH_IN, cancellation_timeout=CANCELLED_AFTER
    )
    async def activation(body: kopf.Body, stopped: kopf.DaemonStopped, **_: Any) -> None:
        await app.live_activation(SegmentActivation.model_validate(dict(body)), stopped)
