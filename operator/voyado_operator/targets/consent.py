"""A consent that the tenant has defined; it never goes back to "not set"."""

from voyado_operator.domain.consent import SOURCE
from voyado_operator.domain.contact import Facet
from voyado_operator.domain.errors import TargetNotFound
from voyado_operator.domain.names import listed
from voyado_operator.engage.client import EngageClient
from voyado_operator.targets.choice import Choice


class Consent(Choice):
    """`PATCH /contacts/{id}` with one consent; that the others keep their values is inferred (engage-api.md 5)."""

    def __init__(
        self, client: EngageClient, consent_id: str, comment: str, on_enter: str, on_exit: str, batch_size: int
    ) -> None:
        self._consent_id = consent_id
        written = {"id": consent_id, "source": SOURCE, "comment": comment}
        super().__init__(
            client,
            lambda value: Facet("consent", consent_id, value),
            lambda value: {"consents": [written | {"value": value}]},
            on_enter,
            on_exit,
            batch_size,
        )

    async def check(self) -> None:
        defined = [consent for consent, _ in await self.client.consents()]
        if self._consent_id not in defined:
            raise TargetNotFound(
                f"spec.target.consent.id: the tenant has no consent {self._consent_id!r}; it has {listed(defined)}"
            )
