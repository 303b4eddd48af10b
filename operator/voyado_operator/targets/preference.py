"""Whether a contact may be reached over a channel."""

from voyado_operator.domain.contact import Facet
from voyado_operator.engage.client import EngageClient
from voyado_operator.targets.choice import Choice

FLAGS = {"Email": "acceptsEmail", "Sms": "acceptsSms", "Postal": "acceptsPostal"}


class Preference(Choice):
    """`PATCH /contacts/{id}` with one flag; that the others keep their values is inferred (engage-api.md 5)."""

    def __init__(self, client: EngageClient, channel: str, on_enter: str, on_exit: str, batch_size: int) -> None:
        flag = FLAGS[channel]
        super().__init__(
            client,
            lambda value: Facet("preference", flag, value),
            lambda value: {"preferences": {flag: value}},
            on_enter,
            on_exit,
            batch_size,
        )

    async def check(self) -> None:
        """Every tenant has the three flags."""
