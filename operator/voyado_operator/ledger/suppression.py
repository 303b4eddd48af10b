"""Who was forgotten, as keyed hashes: one table per ledger root, so that erasure opts nobody in.

A row is the HMAC-SHA256 of a contactId under the operator's hash key, and when the contact was erased. The table's
description, JSON, says under which key (`key`, a fingerprint), and until when rows may be missing (`unknownSince`, or
null): contacts may have been forgotten until then of whom there is no row.

    the root has          the table                          becomes
    no ledger yet         is missing                         empty, unknownSince null
    ledgers               is missing                         empty, unknownSince now
    any                   was made with another key          the same, unknownSince now

It is opened anew for every question: somebody may have been forgotten since the one before. The rows are never folded,
since the latest moment of a contact counts and not the row that was written last.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import stamina
from arro3.core import Array, DataType, Table
from deltalake import Field, Schema
from deltalake.schema import PrimitiveType

from voyado_operator.domain.forgetting import Forgotten
from voyado_operator.ledger import moment
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.ledger.failures import Overtaken
from voyado_operator.ledger.layout import suppression_url
from voyado_operator.ledger.locks import WAIT, alone, shared
from voyado_operator.workspace.hashing import KeyedHash

ATTEMPTS = 10  # so many may write at once
ROWS_PER_COMMIT = 100_000
_KEY = "contact_hash"
_SCHEMA = Schema(
    [
        Field("seq", PrimitiveType("long"), nullable=False),
        Field(_KEY, PrimitiveType("string"), nullable=False),
        Field("erased_at", PrimitiveType("timestamp"), nullable=False),
    ]
)


class Suppression:
    """The suppression table of one ledger root. Blocking; every method raises LedgerUnavailable."""

    def __init__(self, root: str, key: bytes) -> None:
        """Of the ledger root at this URL; `key` is the operator's hash key."""
        self.url = suppression_url(root)
        self._root = root
        self._keyed = KeyedHash(key)

    def prepare(self) -> None:
        """Make the table, if there is none: before a root's first ledger."""
        self._once(lambda _: None)

    def forgotten(self, contact_ids: Sequence[str]) -> Forgotten:
        """Which of the contacts (canonical GUIDs) were forgotten, and when."""
        with shared(self.url):
            log = self._opened()
            found = [] if log.is_empty or not contact_ids else log.rows(self._search(contact_ids))
            unknown_since = _unknown_since(log)
        at = {str(row[_KEY]): cast(datetime, row["erased_at"]) for row in found}
        hashes = {one: self._keyed.hexdigest(one) for one in contact_ids} if at else {}
        return Forgotten({one: at[hashed] for one, hashed in hashes.items() if hashed in at}, unknown_since)

    def record(self, erased: Mapping[str, datetime]) -> None:
        """Remember by hash that the contacts (canonical GUIDs) were erased, and when."""
        rows = [(self._keyed.hexdigest(one), at) for one, at in erased.items()]
        for start in range(0, len(rows), ROWS_PER_COMMIT):
            self._retried(partial(_append, rows[start : start + ROWS_PER_COMMIT]))
        with suppress(Overtaken):  # the next one merges the files
            self._once(ChangeLog.merge)

    def record_moment(self, at: datetime) -> None:
        """Remember that somebody, and not who, was forgotten at that moment."""
        self._retried(lambda log: log.describe(self._described(_latest(_unknown_since(log), at))))

    def erase(self, contact_id: str) -> None:
        """Erase the contact's hash, in earlier versions too."""
        with alone(self.url, WAIT):
            self._opened().erase(_KEY, f"'{self._keyed.hexdigest(contact_id)}'")

    def _search(self, contact_ids: Sequence[str]) -> str:
        hashes = ", ".join(f"'{self._keyed.hexdigest(one)}'" for one in contact_ids)
        return f"select {_KEY}, max(erased_at) as erased_at from log where {_KEY} in ({hashes}) group by {_KEY}"

    def _retried(self, write: Callable[[ChangeLog], None]) -> None:
        """The table has many writers, and any order will do."""
        for attempt in stamina.retry_context(on=Overtaken, attempts=ATTEMPTS, wait_max=1):
            with attempt:
                self._once(write)

    def _once(self, write: Callable[[ChangeLog], None]) -> None:
        with shared(self.url):
            write(self._opened())

    def _opened(self) -> ChangeLog:
        """The table as it is now, under the present key."""
        found = ChangeLog.existing(self.url, _KEY)
        log = found.of(_SCHEMA) if found is not None else self._created()
        if _said(log).get("key") != self._fingerprint:
            with suppress(Overtaken):  # by another who noticed it at the same moment
                log.describe(self._described(datetime.now(UTC)))
            log = ChangeLog.open(self.url, _KEY, _SCHEMA)
        return log

    def _created(self) -> ChangeLog:
        """Whoever makes a ledger makes this table first, so a ledger without it says that it was lost.

        Of two that create it at once, the second finds the first one's.
        """
        unknown_since = datetime.now(UTC) if _has_ledgers(self._root) else None
        return ChangeLog.open(self.url, _KEY, _SCHEMA, self._described(unknown_since))

    @property
    def _fingerprint(self) -> str:
        return self._keyed.hexdigest("the key of this suppression table")[:16]

    def _described(self, unknown_since: datetime | None) -> str:
        said = {"key": self._fingerprint, "unknownSince": unknown_since and unknown_since.isoformat()}
        return json.dumps(said, sort_keys=True)


def _append(hashed: Sequence[tuple[str, datetime]], log: ChangeLog) -> None:
    log.append(_rows(log.next_seq, hashed))


def _rows(seq: int, hashed: Sequence[tuple[str, datetime]]) -> Table:
    return Table.from_pydict(
        {
            "seq": Array([seq] * len(hashed), type=DataType.int64()),
            _KEY: Array([one for one, _ in hashed], type=DataType.utf8()),
            "erased_at": moment.column([at for _, at in hashed]),
        }
    )


def _said(log: ChangeLog) -> dict[str, Any]:
    return dict(json.loads(log.description or "{}"))


def _unknown_since(log: ChangeLog) -> datetime | None:
    said = _said(log).get("unknownSince")
    return datetime.fromisoformat(said) if said else None


def _latest(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)


def _has_ledgers(root: str) -> bool:
    """Whether any table lies under the root; False for an object store, from which nothing is ever erased."""
    parts = urlsplit(root)
    return parts.scheme == "file" and any(Path(unquote(parts.path)).rglob("_delta_log"))
