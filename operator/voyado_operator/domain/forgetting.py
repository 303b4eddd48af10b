"""Who was forgotten, or may have been: such a person needs a decision that is newer than the erasure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from voyado_operator.domain.delivery import Entry


@dataclass(frozen=True, slots=True)
class Forgotten:
    """`erased` has the moment of each contact that is known to have been erased.

    `unknown_since`: until then others may have been erased too, without a trace.
    """

    erased: Mapping[str, datetime] = field(default_factory=dict)
    unknown_since: datetime | None = None

    def at(self, contact_id: str, created: datetime | None, entry: Entry | None) -> datetime | None:
        """Return when the contact was forgotten, or may have been; None: never.

        `created` is when Engage shows the contact as created: a contact that is newer than `unknown_since` was not
        there to be forgotten. `entry` is the ledger's record: a contact that has one was not forgotten since.
        """
        moments = [self.erased[contact_id]] if contact_id in self.erased else []
        was_there = self.unknown_since is not None and (created is None or created <= self.unknown_since)
        if self.unknown_since is not None and was_there and entry is None:
            moments.append(self.unknown_since)
        return max(moments, default=None)
