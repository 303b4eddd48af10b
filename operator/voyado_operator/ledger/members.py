"""The ledger of one target: the membership that Engage has acknowledged."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, cast

from arro3.core import Table

from voyado_operator.arrow import ArrowStream
from voyado_operator.domain.delivery import ADOPTED, MAY_BE_ON, RENEWED, RESTORED, UNSENT, Entry, Operation
from voyado_operator.domain.standing import Standing
from voyado_operator.ledger import entries, ids, moment
from voyado_operator.ledger.changelog import ChangeLog

HISTORY = timedelta(days=30)
"""How long a rebase keeps change rows: the longest window that can be counted."""

_MEMBERS = {Entry.ADD: 1, Entry.LEAVING: -1, Entry.GONE: -1}
"""How many members more an entry makes; a REMOVE none, as LEAVING came first."""

_OFF = ", ".join(f"'{entry}'" for entry in Entry if entry not in MAY_BE_ON)

_SENT = {
    Operation.ADD: f"op in ('{Entry.ASKED}', '{Entry.ADD}') and approval is null",
    Operation.REMOVE: f"op in ('{Entry.LEAVING}', '{Entry.CLEARING}') and approval is null",
}
_NOT_DONE = {
    Operation.ADD: f"(op in ('{Entry.VOID}', '{Entry.DECLINED}') or approval = '{UNSENT}')",
    Operation.REMOVE: f"approval = '{RESTORED}'",
}


class Ledger:
    """Who is a member, and the changes that made it so.

    Every method raises LedgerUnavailable when the storage fails, and every write also when somebody else wrote to the
    ledger since it was opened.
    """

    def __init__(self, log: ChangeLog) -> None:
        self._log = log
        self._first: int | None = None
        self._noted: list[entries.Noted] = []

    @classmethod
    def open(cls, url: str, owner: str, target: Mapping[str, str]) -> "Ledger":
        """Open the ledger at `url`; where there is none, create an empty one of `owner` (`cluster UID/namespace/name`).

        An existing ledger keeps its owner and what that one said of the target: compare them before use.
        """
        return cls(
            ChangeLog.open(url, "contact_id", entries.SCHEMA, _described({"owner": owner, "target": dict(target)}))
        )

    @classmethod
    def existing(cls, url: str) -> "Ledger | None":
        """The ledger at `url`, if there is one."""
        log = ChangeLog.existing(url, "contact_id")
        return cls(log.of(entries.SCHEMA)) if log else None

    @property
    def url(self) -> str:
        return self._log.url

    @property
    def version(self) -> int:
        """The Delta version of the handle; 0 for a ledger that nobody has written to."""
        return self._log.table.version()

    @property
    def owner(self) -> str:
        return str(self._said["owner"])

    @property
    def target(self) -> dict[str, str]:
        return dict(self._said["target"])

    @property
    def lost_at(self) -> datetime | None:
        """When it was found that an earlier ledger of this target is gone, if ever."""
        lost = self._said.get("lostAt")
        return datetime.fromisoformat(lost) if lost else None

    def describe(self, owner: str, target: Mapping[str, str]) -> None:
        """Commit whose ledger this is and of which target. It fences other writers."""
        self._describe(owner=owner, target=dict(target))

    def claim(self) -> None:
        """Commit that a run is about to send: of two that opened the ledger before, the later fails here.

        If it is the ledger's first, it must ask for each contact once: all that is asked has one number then, and what
        came of it the next, so that it can be made the base.
        """
        self._log.set_numbers()
        self._first = self._log.next_seq if self.is_empty else None

    def fence(self) -> None:
        """Commit nothing but that whoever opened the ledger before cannot write to it any more."""
        self._log.fence()

    def mark_lost(self, at: datetime, replaces: int | None) -> None:
        """Commit that this ledger takes the place of one that is gone, and that its baseline is still to be found.

        `replaces` is that one's version as the status knows it: until a run has reported, it is ahead of ours.
        """
        self._describe(lostAt=at.isoformat(), isBaselining=True, replaces=replaces)

    @property
    def replaces(self) -> int | None:
        """The version of the lost ledger in whose place this one is, as the status knew it."""
        return cast("int | None", self._said.get("replaces"))

    @property
    def is_baselining(self) -> bool:
        """Whether an earlier ledger was lost, and no run since then has got to its end."""
        return bool(self._said.get("isBaselining"))

    def mark_baselined(self) -> None:
        self._describe(isBaselining=False)

    @property
    def decisions_seen(self) -> dict[str, Any] | None:
        """What a run has seen of when people decided; see `see_decisions`."""
        return self._said.get("decisions")

    def see_decisions(self, seen: Mapping[str, Any]) -> None:
        """Commit it for the next run to compare with; it must name nobody, as it stays in the log."""
        self._describe(decisions=dict(seen))

    def remember(self, fingerprint: str, members: int) -> None:
        """Commit that the members, so many, are exactly the audience with this fingerprint, unless that is known."""
        if self.members_of(fingerprint) is None:
            self._log.set_numbers(audience=_number(fingerprint, self._log.next_seq), members=members)

    def members_of(self, fingerprint: str) -> int | None:
        """How many members there are, if they are known to be exactly the audience with this fingerprint.

        None: they have to be compared. Whatever was committed since it was remembered makes it so, of whoever.
        """
        is_known = self._log.number_of("audience") == _number(fingerprint, self._log.next_seq - 1)
        return self._log.number_of("members") if is_known else None

    def inherit(self, former: "Ledger", at: datetime) -> None:
        """Record whoever the former ledger has a record of, and this one has not, as somebody who left at time `at`."""
        theirs = former._log  # noqa: SLF001 - of the same class
        columns = f"'{Entry.REMOVE}' as op, {moment.sql(at)} as changed_at, '{ADOPTED}' as approval"
        self._log.take_in(
            f"select cast({self._log.next_seq} as bigint) as seq, f.contact_id, {columns}, f.decided_at, f.witness"
            f" from ({theirs.folded('theirs')}) f left anti join ({self._log.folded()}) o"
            f" on f.contact_id = o.contact_id where f.op <> '{Entry.VOID}'",
            theirs,
        )

    @property
    def _said(self) -> dict[str, Any]:
        return dict(json.loads(self._log.description))

    def _describe(self, **changes: Any) -> None:
        self._log.describe(_described(self._said | changes))

    def standing(self) -> Standing:
        """Who is on the target, or may be, among all that is remembered.

        A member's op is null: as text of every member, what DuckDB makes of it takes 15 ms of 1,000,000. Who is not on
        the target is left to whoever folds: it takes DataFusion 0.07 s to look for them among 10,000,000, DuckDB 0.01.
        """
        columns = f"contact_id, nullif(op, '{Entry.ADD}') as op"
        if not self._log.is_worth_folding:
            return Standing(self._log.present(columns))
        base = self._log.query(f"select {columns} from log where seq = {self._log.base}")
        return Standing(base, self._log.query(f"select contact_id, op, seq from log where seq > {self._log.base}"))

    def earlier(self) -> ArrowStream:
        """What is remembered of contacts that are no members: contact_id, op, changed_at, decided_at, witness."""
        return self._log.present("contact_id, op, changed_at, decided_at, witness", f"op <> '{Entry.ADD}'")

    def decisions(self) -> ArrowStream:
        """When the members were recorded, and had decided: contact_id, changed_at, decided_at."""
        return self._log.present("contact_id, changed_at, decided_at", f"op = '{Entry.ADD}'")

    def records(self, contact_id: str) -> list[tuple[str, datetime]]:
        """The latest entry of one contact (a canonical GUID) and when it was made; at most one."""
        found = self._log.rows(
            f"select op, changed_at from ({self._log.folded()}) where contact_id = {ids.sql(contact_id)} limit 1"
        )
        return [(str(row["op"]), cast(datetime, row["changed_at"])) for row in found]

    def sample(self, size: int) -> list[str]:
        """Some members, at random."""
        members = f"select contact_id from ({self._log.folded()}) where op = '{Entry.ADD}'"
        found = self._log.rows(f"{members} order by random() limit {size:d}")
        return [ids.text(cast(bytes, row["contact_id"])) for row in found]

    def sent(self, operation: Operation, since: datetime) -> ArrowStream:
        """Whom the operation was about to be done to at or after `since`, without an approval: contact_id, each once.

        Whether it arrived may never be known; who is known not to have got it is left out. `since` must not be longer
        ago than HISTORY.
        """
        sent, not_done = _SENT[operation], _NOT_DONE[operation]
        # Before the base of a first run there are only additions: not to look at 1,000,000 saves 20 ms.
        beside = ">" if operation is Operation.REMOVE and self._log.is_founded else "<>"
        return self._log.query(
            f"select contact_id from log where seq {beside} {self._log.base} and changed_at >= {moment.sql(since)}"
            f" and (({sent}) or {not_done}) group by contact_id having max(case when {sent} then seq end)"
            f" > coalesce(max(case when {not_done} then seq end), -1)"
        )

    def peak(self, since: datetime, members: int) -> int:
        """The highest membership at or after `since`; `members` is how many there are now.

        A change counts as one member more or less, as runs only send what their diff found.
        """
        rows = self._log.rows(
            "select seq, op, count(*) as contacts from log"
            f" where seq <> {self._log.base} and changed_at >= {moment.sql(since)}"
            f" and (approval is null or approval <> '{RENEWED}') group by 1, 2 order by seq desc"
        )
        peak = members
        for row in rows:  # back from the present, one commit at a time
            members -= int(str(row["contacts"])) * _MEMBERS.get(Entry(str(row["op"])), 0)
            peak = max(peak, members)
        return peak

    def note(
        self,
        entry: Entry,
        contact_ids: Sequence[str],
        at: datetime,
        approval: str | None = None,
        decided: Mapping[str, datetime | None] | None = None,
        witnesses: Mapping[str, str | None] | None = None,
    ) -> None:
        """Have the next `commit` record what Engage acknowledged, or showed, of the contacts (each once) at time `at`.

        `approval` is the digest of the approved plan they went out on, or ADOPTED; only what has none counts in the
        guards' window. `decided` has what the rows said of when the persons decided, `witnesses` what would tell that a
        contact was changed after it was asked. The only method that may be called while another thread commits.
        """
        if contact_ids:
            self._noted.append(entries.noted(entry, contact_ids, at, approval, decided or {}, witnesses or {}))

    def commit(self) -> int:
        """Record what was noted, if anything is left, in one commit; no contact may be noted twice before it.

        Returns how many members more there are. When LedgerUnavailable is raised, the contacts may be recorded or not:
        the next diff shows which. They stay noted.
        """
        if noted := self._noted[:]:
            self._log.append(Table.from_batches([one.numbered(self._seq(one.entry)) for one in noted]))
            del self._noted[: len(noted)]
        return sum(_MEMBERS.get(one.entry, 0) * one.rows.num_rows for one in noted if one.approval != RENEWED)

    def _seq(self, entry: Entry) -> int:
        return self._log.next_seq if self._first is None else self._first + (entry is not Entry.ASKED)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever recorded."""
        return self._log.is_empty

    def found(self) -> None:
        """Make the additions of this first run the base, as all of them were acknowledged.

        Nothing is read or written for it: 1,000,000 members folded take 1.6 s and 0.7 GiB, copied 0.5 s.
        """
        first, self._first = self._first, None
        if first is not None and self._log.has_grown():
            self._log.found(first + 1)

    def compact(self, at: datetime) -> None:
        """Fold the changes into the base, if they have become too many to fold at every read; or merge their files."""
        self._first = None
        if self._log.has_grown():
            self._log.rebase(alive=self._alive, history=f"changed_at >= {moment.sql(at - HISTORY)}")
        else:
            self._log.merge()

    @property
    def _alive(self) -> str:
        """What a rebase keeps for ever: where entering opts people in, also that somebody was declined or left."""
        return f"op <> '{Entry.VOID}'" if self.target.get("onEnter") == "Accept" else f"op not in ({_OFF})"


def _number(fingerprint: str, seq: int) -> int:
    """Of an audience and a commit, as large as a number of a Delta transaction may be (63 bits)."""
    return int.from_bytes(sha256(f"{seq}:{fingerprint}".encode()).digest()[:8]) >> 1


def _described(said: Mapping[str, Any]) -> str:
    return json.dumps(said, sort_keys=True)
