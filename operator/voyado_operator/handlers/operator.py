"""The operator as a whole: start, stop, log-in, health, and how Kopf is set."""

import logging
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import kopf

from voyado_operator.api.common import GROUP
from voyado_operator.app import App
from voyado_operator.kube.cluster import NoCluster


class Backoffs:
    """Waits between attempts at an API server that is away: for ever, growing to half a minute, with jitter.

    Kopf's own list ends after 54 s, and the process with it (operators.md 1.5); an upgrade takes longer.
    """

    def __iter__(self) -> Iterator[float]:
        seconds = 1.0
        while True:
            yield seconds * random.uniform(0.8, 1.2)  # noqa: S311
            seconds = min(2 * seconds, 30.0)


def register(registry: kopf.OperatorRegistry, app: App) -> None:
    @kopf.on.startup(registry=registry, backoff=5)
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings, namespaced=bool(app.settings.namespaces))
        try:
            await app.start()
        except NoCluster as error:
            raise kopf.PermanentError(str(error)) from None

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        await app.stop()

    @kopf.on.login(registry=registry)
    async def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        if app.settings.kubeconfig:
            return kopf.login_with_kubeconfig(**kwargs)
        found = kopf.login_with_service_account(**kwargs)
        # Kopf asks DNS for kubernetes.default.svc; our own client goes where the kubelet says, without DNS.
        return replace(found, server=app.api_server) if found else None

    @kopf.on.probe(registry=registry, id="overdue")
    async def overdue(**_: Any) -> int:
        """Only PermanentError makes Kopf answer 500 at once (operators.md 1.2)."""
        count = app.overdue()
        if count:
            raise kopf.PermanentError(f"{count} activations are overdue")
        return count


def configure(settings: kopf.OperatorSettings, *, namespaced: bool) -> None:
    """Each line has its reason in operators.md 1.8."""
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP, v1=False)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP, v1=False)
    settings.peering.standalone = True
    settings.posting.reporting_component = "voyado-operator"
    settings.networking.connect_timeout, settings.networking.request_timeout = 10, 60
    settings.networking.error_backoffs = Backoffs()
    settings.watching.connect_timeout = 10
    settings.background.cancellation_polling = 5
    # A daemon that needs a moment to end is looked at again only after its whole cancellation_backoff, 20 s.
    settings.background.instant_exit_timeout = 5
    settings.queueing.worker_limit = None
    settings.scanning.disabled = namespaced
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
