"""From a manifest's audience to its source."""

from durationpy import from_str

from voyado_operator.api.activation import Audience
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.reconcile.ports import Source
from voyado_operator.sources.fixed import FixedList
from voyado_operator.sources.policy import SourcePolicy
from voyado_operator.sources.sql import Query, sql_source


def build_source(audience: Audience, uri: str | None, policy: SourcePolicy) -> Source:
    """`uri` is the warehouse's, from its Secret. Raises InvalidSpec."""
    if audience.contact_ids is not None:
        return FixedList(audience.contact_ids)
    if audience.sql is not None and uri is not None:
        return sql_source(uri, Query(audience.sql.query, from_str(audience.sql.timeout)), policy)
    raise InvalidSpec("spec.audience.files: this version does not read files yet; use sql or contactIds")
