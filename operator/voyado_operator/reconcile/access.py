"""From a connection to Engage itself."""

from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.errors import CredentialsInvalid
from voyado_operator.reconcile.adapters import Tenant
from voyado_operator.reconcile.surroundings import Surroundings


async def tenant_of(connection: VoyadoConnection, around: Surroundings) -> Tenant:
    """Read the API key afresh, so that a rotated Secret needs no restart. Raises CredentialsInvalid or InvalidSpec."""
    api_key = await api_key_of(connection, around)
    return around.adapters.tenant(connection, api_key)


async def api_key_of(connection: VoyadoConnection, around: Surroundings) -> str:
    """Raises CredentialsInvalid."""
    reference = connection.spec.api_key_secret_ref
    api_key = await around.cluster.secret(
        "spec.apiKeySecretRef", connection.metadata.namespace, reference.name, reference.key or "apiKey"
    )
    if not (api_key.isascii() and api_key.isprintable()):
        raise CredentialsInvalid("spec.apiKeySecretRef: the key holds characters that no HTTP header can carry")
    return api_key
