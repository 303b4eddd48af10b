"""VoyadoConnection: a tenant of Engage and its API key."""

from typing import Annotated, Literal

from pydantic import Field

from voyado_operator.api.common import Conditions, Duration, Metadata, Moment, Resource, SecretKeyRef, cel, rules
from voyado_operator.domain.hosts import canonical_host

DECISIONS = r"(?i)/(preferences|consents|unsubscribe[a-z]*|updateContactType|promoteToMember)(/|$)"
"""Below a contact, what its person decides, or what makes another contact of it (engage/v2-operations.json)."""
ENDPOINT_PATH = r"^/api/v[0-9]+/([A-Za-z0-9_-]+/)*\{contactId\}(/([A-Za-z0-9_-]+|\{label\}))+$"


class AttributeRoute(Resource):
    """A boolean contact attribute per label."""

    id_template: Annotated[
        str,
        Field(
            min_length=8,
            max_length=128,
            description="The attribute's id; {label} stands for the label's name, e.g. label_{label}.",
            json_schema_extra=rules(
                cel(
                    "self.contains('{label}') && self != '{label}'",
                    "must contain {label} and more, e.g. label_{label}: the bare placeholder could hit an attribute "
                    "such as email",
                ),
                cel(
                    "self.replace('{label}', '').matches('^[A-Za-z0-9_.-]*$')",
                    "besides {label} only letters, digits, '_', '.' and '-' may stand here, e.g. label_{label}",
                ),
            ),
        ),
    ]


class CustomTriggerRoute(Resource):
    """One custom trigger per change; an automation in Engage adds or removes the label."""

    trigger_id: Annotated[
        str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_-]+$", description="The custom trigger's id.")
    ]


class EndpointCall(Resource):
    """One templated call."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] = Field(description="The HTTP method.")
    path: Annotated[
        str,
        Field(
            max_length=256,
            description="Path with {contactId} and optionally {label}; never the contact itself.",
            json_schema_extra=rules(
                cel(
                    f"self.matches(r'{ENDPOINT_PATH}')",
                    "must look like /api/v3/contacts/{contactId}/labels/{label}: a path below the contact, without "
                    "scheme, host or query, only with the placeholders {contactId} and {label}",
                ),
                cel(
                    f"!self.matches('{DECISIONS}')",
                    "a label route must not write a person's preferences or consents; write a target: {preference: …} "
                    "or {consent: …} in a SegmentActivation",
                ),
            ),
        ),
    ]
    body: (
        Annotated[
            str,
            Field(
                max_length=4096,
                json_schema_extra=rules(
                    cel(
                        r"!self.replace('{contactId}', '').replace('{label}', '').matches('[{][A-Za-z]+[}]')",
                        "knows only the placeholders {contactId} and {label}",
                    )
                ),
            ),
        ]
        | None
    ) = Field(None, description="JSON body with the same placeholders, within its strings.")


class EndpointRoute(Resource):
    """A label operation that the tenant's own Swagger shows. Unconfirmed by Voyado's public documents."""

    add: EndpointCall = Field(description="The call that adds the label.")
    remove: EndpointCall = Field(description="The call that removes the label.")


class LabelRoutes(Resource):
    """How this tenant represents a label: exactly one member."""

    attribute: AttributeRoute | None = Field(None, description="A boolean contact attribute per label.")
    custom_trigger: CustomTriggerRoute | None = Field(None, description="A custom trigger and an automation.")
    endpoint: EndpointRoute | None = Field(None, description="A label operation of the tenant's own Swagger.")


class Bulk(Resource):
    """Whether and how /contacts/bulk is used."""

    mode: Literal["Auto", "Off"] = Field("Auto", description="Auto sends many changes in bulk; Off one by one.")
    key_attribute: Literal["contactId"] = Field("contactId", description="What names the contact in a bulk row.")


class VoyadoConnectionSpec(Resource):
    """The tenant and how it is talked to."""

    url: Annotated[
        str,
        Field(
            max_length=253,
            description="The tenant's URL, e.g. https://acme.voyado.com.",
            json_schema_extra=rules(
                cel(
                    r"self.matches(r'^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?$')",
                    "must be the tenant's address alone, e.g. https://acme.voyado.com: no path, no query, no user name",
                ),
            ),
        ),
    ]
    api_key_secret_ref: SecretKeyRef = Field(description="The Secret that holds the API key; key defaults to apiKey.")
    contact_type: (
        Annotated[
            str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$", description="Default: the tenant's.")
        ]
        | None
    ) = None
    requests_per_second: Annotated[int, Field(ge=1, le=200)] = Field(
        50, description="Per API key. Voyado recommends 50; 200 is its hard limit."
    )
    labels: (
        Annotated[
            LabelRoutes,
            Field(
                json_schema_extra=rules(
                    cel(
                        "[has(self.attribute), has(self.customTrigger), has(self.endpoint)].exists_one(x, x)",
                        "write exactly one of attribute, customTrigger and endpoint",
                    )
                )
            ),
        ]
        | None
    ) = None
    bulk: Bulk = Field(Bulk(), description="Bulk updates.")
    probe_interval: Annotated[
        Duration,
        Field(
            json_schema_extra=rules(
                cel("duration(self) >= duration('10s')", "must be 10s or more, e.g. 5m"),
            )
        ),
    ] = Field("5m", description="How often Engage is asked whether the connection works.")
    suspend: bool = Field(default=False, description="Stops probing and every run that uses this connection.")

    @property
    def host(self) -> str:
        """The tenant's host in one spelling, with a port where that is not the scheme's own."""
        return canonical_host(self.url)


class Consent(Resource):
    """A consent definition of the tenant."""

    id: Annotated[str, Field(max_length=256)]
    name: Annotated[str, Field(max_length=256)] | None = None


class Capability(Resource):
    """What has been shown to work on this tenant."""

    target: Annotated[str, Field(max_length=64)]
    route: Annotated[str, Field(max_length=64)]
    mode: Annotated[str, Field(max_length=64)]
    proven_at: Moment


class VoyadoConnectionStatus(Resource):
    """What the operator found."""

    observed_generation: int = -1
    conditions: Conditions = Field(default_factory=list)
    contacts: int | None = None
    consents: Annotated[list[Consent], Field(max_length=200)] | None = None
    activations: int | None = None
    requests_per_second: float | None = None
    capabilities: Annotated[list[Capability], Field(max_length=64)] | None = None
    last_probe_time: Moment | None = None
    served_by: Annotated[str, Field(max_length=320)] | None = None


class VoyadoConnection(Resource):
    """The object as the API server gives it."""

    metadata: Metadata
    spec: VoyadoConnectionSpec
    status: VoyadoConnectionStatus = VoyadoConnectionStatus()
