"""What both resources share."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

GROUP = "voyado-operator.io"
VERSION = "v1alpha1"
REQUESTED_AT = f"{GROUP}/requestedAt"
PLAN_REQUESTED_AT = f"{GROUP}/planRequestedAt"
APPROVE = f"{GROUP}/approve"
TAKE_OVER = f"{GROUP}/takeOver"
"""`OWNER TOKEN`: a person hands the target over that OWNER (cluster UID/namespace/name) can never release."""
APPROVED_BY = f"{GROUP}/approvedBy"
"""Kubernetes' name of whoever set APPROVE: stamped by the chart's admission policy, trustworthy only with it."""


def _to_the_second(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_to_the_second, when_used="json")]
"""A point in time as metav1.Time shows it: RFC 3339, UTC, whole seconds."""


class Kind(StrEnum):
    """The two resources."""

    ACTIVATION = "SegmentActivation"
    CONNECTION = "VoyadoConnection"

    @property
    def plural(self) -> str:
        return f"{self.lower()}s"


class ObjectKey(NamedTuple):
    """What names an object within its kind."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Resource(BaseModel):
    """Reads manifests leniently (the API server has validated them) and writes the camelCase of the contract."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")

    def manifest(self) -> dict[str, Any]:
        """As JSON for the API server; fields that are not set are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Metadata(Resource):
    """The part of metav1.ObjectMeta that the operator reads."""

    name: str
    namespace: str
    uid: str
    resource_version: str
    generation: int = 0
    creation_timestamp: datetime
    deletion_timestamp: datetime | None = None
    annotations: dict[str, str] = Field(default_factory=dict)
    finalizers: list[str] = Field(default_factory=list)

    @property
    def key(self) -> ObjectKey:
        return ObjectKey(self.namespace, self.name)


def cel(rule: str, message: str, field_path: str | None = None) -> dict[str, str]:
    """One x-kubernetes-validations entry; the message says what to write."""
    entry = {"rule": rule, "message": message}
    return entry | {"fieldPath": field_path} if field_path else entry


def rules(*entries: dict[str, str]) -> dict[str, Any]:
    """Schema extras that carry CEL rules."""
    return {"x-kubernetes-validations": list(entries)}


# Same character set as Go's time.ParseDuration, without signs; what durationpy reads.
DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
Duration = Annotated[str, Field(pattern=DURATION_PATTERN, max_length=32)]
Name = Annotated[str, Field(min_length=1, max_length=253)]
Percent = Annotated[str, Field(pattern=r"^(100|[1-9]?[0-9])%$", max_length=4)]
Count = Annotated[int, Field(ge=0, le=2_147_483_647)]


class Condition(Resource):
    """metav1.Condition."""

    type: Annotated[str, Field(max_length=316)]
    status: Literal["True", "False", "Unknown"]
    reason: Annotated[str, Field(min_length=1, max_length=1024)]
    message: Annotated[str, Field(max_length=32768)]
    last_transition_time: Moment
    observed_generation: int | None = None


Conditions = Annotated[
    list[Condition],
    Field(
        max_length=8,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]


class SecretKeyRef(Resource):
    """A key of a Secret in the same namespace."""

    name: Name = Field(description="The Secret's name, in the namespace of this object.")
    key: Name | None = Field(None, description="The key within the Secret.")
