"""SegmentActivation: one audience, one target, one schedule."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.api.common import (
    Count,
    Duration,
    Metadata,
    Name,
    Percent,
    Resource,
    SecretKeyRef,
    cel,
    rules,
)
from voyado_operator.domain.target import OFF_LABEL

GUID_PATTERN = r"^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"
Column = Annotated[str, Field(min_length=1, max_length=128)]
OnEnter = Literal["Accept", "Decline"]
OnExit = Literal["Decline", "Keep"]


class ConnectionRef(Resource):
    """A VoyadoConnection in the same namespace."""

    name: Name = Field(description="The VoyadoConnection's name.")


class SqlAudience(Resource):
    """A query in a warehouse."""

    uri_secret_ref: SecretKeyRef = Field(
        description="The Secret that holds the warehouse's URI, e.g. postgresql://…; key defaults to uri."
    )
    query: Annotated[str, Field(min_length=1, max_length=65536)] = Field(description="One SELECT statement.")
    timeout: Annotated[
        Duration,
        Field(
            json_schema_extra=rules(
                cel(
                    "duration(self) >= duration('1s') && duration(self) <= duration('24h')",
                    "must lie between 1s and 24h, e.g. 10m",
                )
            )
        ),
    ] = Field("10m", description="How long the query may take.")


class FilesAudience(Resource):
    """Parquet or CSV files."""

    url: Annotated[str, Field(min_length=1, max_length=1024)] = Field(
        description="Where the files lie; a * matches many."
    )
    secret_ref: ConnectionRef | None = Field(None, description="A Secret with the object store's credentials.")


class Identifiers(Resource):
    """The source's columns that identify a contact; contactId wins where a row has both."""

    contact_id: Column | None = Field(None, description="Column with Engage's contactId (recommended).")
    email: Column | None = Field(None, description="Column with the e-mail address.")


ContactId = Annotated[str, Field(pattern=GUID_PATTERN, max_length=36)]


class Audience(Resource):
    """Who belongs: exactly one of sql, files and contactIds."""

    sql: SqlAudience | None = Field(None, description="A query in a warehouse.")
    files: FilesAudience | None = Field(None, description="Parquet or CSV files.")
    contact_ids: Annotated[list[ContactId], Field(max_length=1000)] | None = Field(
        None, description="A short fixed list."
    )
    identifiers: (
        Annotated[
            Identifiers,
            Field(
                json_schema_extra=rules(
                    cel(
                        "has(self.contactId) || has(self.email)",
                        "name at least one column, e.g. identifiers: {contactId: contact_id}",
                    )
                )
            ),
        ]
        | None
    ) = Field(None, description="The columns that identify a contact.")
    decided_at: Column | None = Field(None, description="Column that says when the person decided.")


class LabelTarget(Resource):
    """A label."""

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$")] = (
        Field(description="The label's name.")
    )


class PreferenceTarget(Resource):
    """A preference: whether a contact may be reached over a channel."""

    channel: Literal["Email", "Sms", "Postal"] = Field(description="Email, Sms or Postal.")
    on_enter: OnEnter = Field(description="What entering the audience writes.")
    on_exit: OnExit = Field(description="What leaving the audience writes; Keep writes nothing.")


class ConsentTarget(Resource):
    """A consent that exists in Engage."""

    id: Annotated[str, Field(min_length=1, max_length=128)] = Field(description="The consent's id in Engage.")
    on_enter: OnEnter = Field(description="What entering the audience writes.")
    on_exit: OnExit = Field(description="What leaving the audience writes; Keep writes nothing.")


class Target(Resource):
    """What membership drives: exactly one of label, preference and consent."""

    label: LabelTarget | None = Field(None, description="A label.")
    preference: PreferenceTarget | None = Field(None, description="A preference.")
    consent: ConsentTarget | None = Field(None, description="A consent.")

    @property
    def on_exit(self) -> str:
        """What leaving the audience writes."""
        decision = self.preference or self.consent
        return decision.on_exit if decision else OFF_LABEL


class Governance(Resource):
    """Who answers for a preference or consent that this audience sets."""

    owner: Annotated[str, Field(min_length=1, max_length=256)] = Field(description="The person or team that answers.")
    purpose: Annotated[str, Field(min_length=1, max_length=256)] = Field(description="What the data is used for.")
    legal_basis: Literal[
        "Consent", "Contract", "LegalObligation", "VitalInterests", "PublicTask", "LegitimateInterests"
    ] = Field(description="The legal basis (GDPR Art. 6).")
    source_of_truth: Literal["Acknowledged"] = Field(
        description="Acknowledged: this audience may set the target's state; a person's later no still wins."
    )
    review_by: date | None = Field(None, description="Past this day no opt-in is written any more.")


class Schedule(Resource):
    """When it runs: every or cron; without a schedule only on request."""

    every: (
        Annotated[
            Duration,
            Field(
                json_schema_extra=rules(
                    cel("duration(self) >= duration('10s')", "must be 10s or more, e.g. 15m"),
                )
            ),
        ]
        | None
    ) = Field(None, description="An interval, counted from the start of the last run.")
    cron: Annotated[str, Field(min_length=9, max_length=100, pattern=r"^\S+( \S+){4}$")] | None = Field(
        None, description="Five cron fields, e.g. 0 6 * * *."
    )
    time_zone: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="IANA name of the zone that cron is read in; default UTC."
    )


CountOrPercent = Annotated[Count | Percent, Field(json_schema_extra={"x-kubernetes-int-or-string": True})]


class Guards(Resource):
    """Limits beyond which a plan waits for a person."""

    window: Annotated[
        Duration,
        Field(
            json_schema_extra=rules(
                cel(
                    "duration(self) > duration('0s') && duration(self) <= duration('720h')",
                    "must be more than 0s and at most 720h, e.g. 24h",
                )
            )
        ),
    ] = Field("24h", description="Changes are counted over this rolling window.")
    allow_empty: bool = Field(default=False, description="Whether an empty audience is meant.")
    max_removals: CountOrPercent = Field("20%", description="Of the highest membership in the window.")
    max_additions: CountOrPercent | None = Field(None, description="No default.")
    max_opt_outs: CountOrPercent = Field("10%", description="Explicit opt-outs, of the tenant's contacts.")
    max_invalid: CountOrPercent = Field("5%", description="Rows without a usable identifier, of the source's rows.")
    max_unmatched: CountOrPercent = Field("50%", description="Unknown to Engage, of the rows without contactId.")


class Drift(Resource):
    """Reading back what Engage holds."""

    sample: Annotated[int, Field(ge=1, le=10_000)] = Field(description="Contacts read back per run.")
    on_drift: Literal["Report", "Correct"] = Field("Report", description="Correct only for labels.")


SPEC_RULES = rules(
    cel(
        "!(has(self.target.preference) || has(self.target.consent)) || has(self.governance)",
        "a preference or consent target needs governance: write owner, purpose, legalBasis and "
        "sourceOfTruth: Acknowledged",
        ".governance",
    ),
    cel(
        "!((has(self.target.preference) && self.target.preference.onEnter == 'Accept') || "
        "(has(self.target.consent) && self.target.consent.onEnter == 'Accept')) || "
        "(has(self.guards) && has(self.guards.maxAdditions))",
        "onEnter: Accept opts people in: write its ceiling, e.g. guards: {maxAdditions: 500}",
        ".guards",
    ),
    cel(
        "!has(self.deletionPolicy) || self.deletionPolicy != 'Withdraw' || has(self.target.label) || "
        "(has(self.target.preference) && self.target.preference.onEnter == 'Accept') || "
        "(has(self.target.consent) && self.target.consent.onEnter == 'Accept')",
        "Withdraw is only for a label or onEnter: Accept, a person's no is never taken back; write Retain",
        ".deletionPolicy",
    ),
    cel(
        "!has(self.drift) || !has(self.drift.onDrift) || self.drift.onDrift != 'Correct' || has(self.target.label)",
        "Correct is only for labels; write onDrift: Report",
        ".drift",
    ),
)
AUDIENCE_RULES = rules(
    cel(
        "[has(self.sql), has(self.files), has(self.contactIds)].exists_one(x, x)",
        "write exactly one of sql, files and contactIds",
    ),
    cel(
        "has(self.contactIds) != has(self.identifiers)",
        "sql and files need identifiers, e.g. identifiers: {contactId: contact_id}; contactIds goes without",
    ),
    cel("!has(self.contactIds) || !has(self.decidedAt)", "decidedAt names a column, so it does not go with contactIds"),
)
TARGET_RULES = rules(
    cel(
        "[has(self.label), has(self.preference), has(self.consent)].exists_one(x, x)",
        "write exactly one of label, preference and consent",
    )
)
SCHEDULE_RULES = rules(
    cel("has(self.every) != has(self.cron)", "write either every or cron, e.g. every: 1h"),
    cel("!has(self.timeZone) || has(self.cron)", "timeZone goes with cron only"),
)


class SegmentActivationSpec(Resource):
    """What is wished."""

    connection_ref: ConnectionRef = Field(description="The VoyadoConnection, in the same namespace.")
    audience: Annotated[Audience, Field(description="Who belongs.", json_schema_extra=AUDIENCE_RULES)]
    target: Annotated[Target, Field(description="What membership drives.", json_schema_extra=TARGET_RULES)]
    governance: Governance | None = Field(None, description="Required for preference and consent.")
    schedule: Annotated[Schedule, Field(json_schema_extra=SCHEDULE_RULES)] | None = Field(
        None, description="When it runs; absent: only on request."
    )
    mode: Literal["Enforce", "Plan"] = Field("Enforce", description="Plan computes and reports, and writes nothing.")
    suspend: bool = Field(default=False, description="Stops runs.")
    guards: Guards = Field(Guards(), description="Limits beyond which a plan waits for a person.")
    deletion_policy: Literal["Retain", "Withdraw"] = Field(
        "Retain", description="Withdraw takes every ledger member off the target before the object goes."
    )
    drift: Drift | None = Field(None, description="Reading back what Engage holds; absent: off.")
    history_limit: Annotated[int, Field(ge=1, le=100)] = Field(10, description="Runs kept in status.history.")


class SegmentActivation(Resource):
    """The object as the API server gives it."""

    metadata: Metadata
    spec: SegmentActivationSpec
    status: SegmentActivationStatus = SegmentActivationStatus()
