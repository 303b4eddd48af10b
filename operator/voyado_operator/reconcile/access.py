"""From a connection to Engage itself."""

from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.reconcile.adapters import Tenant
from voyado_operator.reconcile.surroundings import Surroundings


async def tenant_of(connection: VoyadoConnection, around: Surroundings) -> Tenant:
    """Read the API key afresh, so that a rotated Secret needs no restart. Raises CredentialsInvalid or InvalidSpec."""
    reference = connection.spec.api_key_secret_ref
    api_key = await around.cluster.secret(
        "spec.apiKeySecretRef", connection.metadata.namespace, reference.name, reference.key or "apiKey"
    )
    return around.adapters.tenant(connection, api_key)
