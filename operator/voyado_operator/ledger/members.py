"""The ledger of one target: the membership that Engage has acknowledged."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from arro3.core import Array, DataType, Table
from deltalake import Field, Schema
from deltalake.schema import PrimitiveType

from voyado_operator.domain.arrow import ArrowStream
from voyado_operator.domain.delivery import Operation
from voyado_operator.domain.plan import Window
from voyado_operator.ledger import moment
from voyado_operator.ledger.changelog import ChangeLog

HISTORY = timedelta(days=30)
"""How long a rebase keeps change rows: the longest window that can be counted."""

_SCHEMA = Schema(
    [
        Field("seq", PrimitiveType("long"), nullable=False),
        Field("contact_id", PrimitiveType("string"), nullable=False),
        Field("op", PrimitiveType("string"), nullable=False),
        Field("changed_at", PrimitiveType("timestamp"), nullable=False),
        Field("approval", PrimitiveType("string")),
    ]
)


class Ledger:
    """Who is a member, and the changes that made it so.

    Every method raises LedgerUnavailable when the storage fails, and every write also when somebody else wrote to the
    ledger since it was opened.
    """

    def __init__(self, log: ChangeLog) -> None:
        self._log = log

    @classmethod
    def open(cls, url: str, owner: str, target: Mapping[str, str]) -> "Ledger":
        """Open the ledger at `url`; where there is none, create an empty one of `owner` (`cluster UID/namespace/name`).

        An existing ledger keeps its owner: compare it before use. That owner's word on the target replaces an earlier
        one, such as the name of the connection.
        """
        ledger = cls(ChangeLog.open(url, "contact_id", _SCHEMA, _described(owner, target)))
        if ledger.owner == owner and ledger.target != dict(target):
            ledger.describe(owner, target)
        return ledger

    @classmethod
    def existing(cls, url: str) -> "Ledger | None":
        """The ledger at `url`, if there is one."""
        log = ChangeLog.existing(url, "contact_id")
        return cls(log) if log else None

    @property
    def url(self) -> str:
        return self._log.url

    @property
    def version(self) -> int:
        """The Delta version of the handle; 0 for a ledger that nobody has written to."""
        return self._log.table.version()

    @property
    def owner(self) -> str:
        return str(json.loads(self._log.description)["owner"])

    @property
    def target(self) -> dict[str, str]:
        return dict(json.loads(self._log.description)["target"])

    def describe(self, owner: str, target: Mapping[str, str]) -> None:
        """Commit whose ledger this is and of which target. It fences other writers."""
        self._log.describe(_described(owner, target))

    def members(self) -> ArrowStream:
        """The members as a stream of one column, `contact_id`; each once, in no order."""
        return self._log.query(f"select contact_id from ({self._log.folded()}) where op = 'add'")

    def window(self, since: datetime, members: int) -> Window:
        """What was acknowledged at or after `since`, which must not be longer ago than HISTORY.

        `members` is how many there are now, as a diff has just counted. A change counts as one member more or less, as
        runs only send what their diff found.
        """
        rows = self._log.rows(
            "select seq, op, approval is null as unapproved, count(*) as contacts from log"
            f" where seq <> {self._log.base} and changed_at >= {moment.sql(since)} group by 1, 2, 3 order by seq desc"
        )
        moved = dict.fromkeys(Operation, 0)
        peak = members
        for row in rows:  # back from the present, one commit at a time
            operation, contacts = Operation(str(row["op"])), int(str(row["contacts"]))
            members += contacts if operation is Operation.REMOVE else -contacts
            peak = max(peak, members)
            moved[operation] += contacts if row["unapproved"] else 0
        return Window(moved[Operation.ADD], moved[Operation.REMOVE], peak)

    def append(
        self, operation: Operation, contact_ids: Iterable[str], at: datetime, approval: str | None = None
    ) -> None:
        """Record in one commit that Engage acknowledged `operation` for the contacts, at time `at`.

        `approval` is the digest of the approved plan they went out on. When LedgerUnavailable is raised, the contacts
        may be recorded or not: the next diff shows which.
        """
        ids = list(dict.fromkeys(contact_ids))
        if not ids:
            return
        self._log.append(_rows(self._log.next_seq, operation, ids, at, approval), len(ids))
        if self._log.has_grown():
            self._log.rebase(alive="op = 'add'", history=f"changed_at >= {moment.sql(at - HISTORY)}")


def _described(owner: str, target: Mapping[str, str]) -> str:
    return json.dumps({"owner": owner, "target": dict(target)}, sort_keys=True)


def _rows(seq: int, operation: Operation, ids: list[str], at: datetime, approval: str | None) -> Table:
    return Table.from_pydict(
        {
            "seq": Array([seq] * len(ids), type=DataType.int64()),
            "contact_id": Array(ids, type=DataType.utf8()),
            "op": Array([operation.value] * len(ids), type=DataType.utf8()),
            "changed_at": moment.column([at] * len(ids)),
            "approval": Array([approval] * len(ids), type=DataType.utf8()),
        }
    )
