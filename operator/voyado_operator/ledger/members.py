"""The ledger of one target: the membership that Engage has acknowledged."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, cast
from uuid import uuid4

from arro3.core import Table

from voyado_operator.api.activation_status import LedgerRef
from voyado_operator.arrow import ArrowStream
from voyado_operator.domain.batches import Announced, Batch
from voyado_operator.domain.delivery import MAY_BE_ON, RENEWED, RESTORED, UNSENT, Entry, Operation
from voyado_operator.domain.ledger_info import NOBODY, LedgerInfo, Succession
from voyado_operator.domain.standing import Standing
from voyado_operator.domain.target import OFF_LABEL, ON_LABEL, Side
from voyado_operator.ledger import batches, entries, ids, moment
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.ledger.claims import Claims

MOST_TAKEOVERS = 8
MOST_ELSEWHERE = 31
"""Ledgers of former targets that a ledger remembers, beside the latest."""

HISTORY = timedelta(days=30)
"""How long a rebase keeps change rows: the longest window that can be counted."""

_MEMBERS = {Entry.ADD: 1, Entry.LEAVING: -1, Entry.GONE: -1}
"""How many members more an entry makes; a REMOVE none, as LEAVING came first."""

_OFF = ", ".join(f"'{entry}'" for entry in Entry if entry not in MAY_BE_ON)

_VALUES = {ON_LABEL: "on", OFF_LABEL: "off", "Accept": "yes", "Decline": "no", "Keep": None}

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

    One target has one ledger, whoever drives it in whichever direction. A member is a contact whose latest record is an
    acknowledged entering by the present side: the owner and direction that `take_side` names. The records of any other
    side say what a person was last told; they make no member and nobody who left.

    Without a side, members are those of all sides, and nothing can be written.

    Every method raises LedgerUnavailable when the storage fails, and every write also when somebody else wrote to the
    ledger since it was opened.
    """

    def __init__(self, log: ChangeLog) -> None:
        self._log = log
        self._claims = Claims(log)
        self.has_claimed = False
        self._author: entries.Authorship | None = None
        self._first: int | None = None
        self._noted: list[entries.Noted] = []

    @classmethod
    def open(cls, url: str, target: str) -> "Ledger":
        """Open the ledger at `url`; where there is none, create an empty one, which nobody owns.

        `target` is what people call the target.
        """
        return cls(ChangeLog.open(url, "contact_id", entries.SCHEMA, LedgerInfo(target=target).written()))

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
    def info(self) -> LedgerInfo:
        """What the ledger says of itself."""
        return self._claims.info

    def take_side(self, side: Side) -> None:
        """From now on read and write as this side."""
        self._side = side
        self._author = entries.Authorship(self.info.writer(side.owner, side.on_enter), side.run, _written(side))

    @property
    def _authorship(self) -> entries.Authorship:
        if self._author is None:
            raise RuntimeError("a ledger is written to as a side")
        return self._author

    @property
    def _is_shared(self) -> bool:
        """Whether rows of other sides are among the rows."""
        return self._author is not None and any(writer != self._author.writer for writer in self.info.writers)

    def reference(self) -> LedgerRef:
        """What a status keeps of the ledger as it is now."""
        return self._claims.reference()

    def is_vouched_for(self, reference: LedgerRef) -> bool:
        """Whether this is the ledger that the reference tells of, or what our own runs made of it since."""
        return self._claims.is_vouched_for(reference)

    def claim(self, succession: Succession = NOBODY) -> None:
        """Commit that a run of this side is about to send: of two that opened the ledger before, the later fails here.

        The side becomes an owner, if it is none; the owners whom it succeeds are none any more. If it is the
        ledger's first claim, the run must ask for each contact once: all that is asked has one number then, and what
        came of it the next, so that it can be made the base.
        """
        info, side = self.info, self._side
        others = {owner: theirs for owner, theirs in info.owners.items() if owner not in succession.owners}
        mine = side.target.definition(side.connection) | {"on_exit": side.on_exit}
        owners = {**others, side.owner: mine}
        writers = tuple(dict.fromkeys([*info.writers, self._authorship.writer]))
        asked = (succession.takeover,) if succession.takeover else ()
        takeovers = (*info.takeovers, *asked)[-MOST_TAKEOVERS:]
        changed = replace(info, owners=owners, writers=writers, takeovers=takeovers)
        self._claims.claim(changed if changed != info else None)
        self.has_claimed = True
        self._first = self._log.next_seq if self.is_empty else None

    def fence(self) -> None:
        """Commit nothing but that whoever opened the ledger before cannot write to it any more."""
        self._log.fence()

    def start_anew(self, at: datetime, members: int = 0) -> None:
        """Commit that the ledger was found lost: it becomes another one, and its records are evidence of noes only.

        It counts as a claim, so that the loss is not forgotten if this one is lost too. `members` is how many the lost
        one had, as the status knew it.
        """
        info, epoch = self.info, self.info.epoch + 1
        self._claims.claim(
            replace(info, id=uuid4().hex, epoch=epoch, lost_at=at, lost_members=members, is_baselining=True)
        )
        self.take_side(self._side)

    def mark_baselined(self) -> None:
        """Commit that the members were found anew."""
        self._claims.change(is_baselining=False)

    def release(self) -> None:
        """Commit that this owner sends nothing more: another may drive the target."""
        owners = {owner: theirs for owner, theirs in self.info.owners.items() if owner != self._side.owner}
        self._claims.change(owners=owners)

    def remember_elsewhere(self, reference: LedgerRef) -> None:
        """Commit what a status would keep of a ledger that this owner has left for this one."""
        others = [one for one in self.info.elsewhere if one["url"] != reference.url]
        self._claims.change(elsewhere=(*others[-MOST_ELSEWHERE:], reference.manifest()))

    @property
    def decisions_seen(self) -> dict[str, Any] | None:
        """What a run has seen of when people decided; see `see_decisions`."""
        return dict(self.info.decisions) if self.info.decisions else None

    def see_decisions(self, seen: Mapping[str, Any]) -> None:
        """Commit it for the next run to compare with; it must name nobody, as it stays in the log."""
        self._claims.change(decisions=dict(seen))

    def remember(self, fingerprint: str, members: int) -> None:
        """Commit that the members, so many, are exactly the audience with this fingerprint, unless that is known."""
        if self.members_of(fingerprint) is None:
            self._log.set_numbers(audience=self._number(fingerprint, self._log.next_seq), members=members)

    def members_of(self, fingerprint: str) -> int | None:
        """How many members there are, if they are known to be exactly the audience with this fingerprint.

        None if unknown; any later commit invalidates it.
        """
        is_known = self._log.number_of("audience") == self._number(fingerprint, self._log.next_seq - 1)
        return self._log.number_of("members") if is_known else None

    def _number(self, fingerprint: str, seq: int) -> int:
        """Of an audience, a side and a commit, as large as a number of a Delta transaction may be (63 bits)."""
        said = f"{seq}:{self._authorship.writer}:{fingerprint}"
        return int.from_bytes(sha256(said.encode()).digest()[:8]) >> 1

    def standing(self) -> Standing:
        """Who is on the target, or may be, among all that is remembered.

        A member's op is null: as text of every member, what DuckDB makes of it takes 15 ms of 1,000,000. Who is not on
        the target is left to whoever folds: it takes DataFusion 0.07 s to look for them among 10,000,000, DuckDB 0.01.
        """
        op = self._own_op
        columns = f"contact_id, nullif({op}, '{Entry.ADD}') as op"
        if not self._log.is_worth_folding:
            return Standing(self._log.present(columns))
        base = self._log.query(f"select {columns} from log where seq = {self._log.base}")
        changes = self._log.query(f"select contact_id, {op} as op, seq from log where seq > {self._log.base}")
        return Standing(base, changes)

    @property
    def _own_op(self) -> str:
        """SQL for the op, which is VOID in the rows of another side.

        Most ledgers have only one, and need not be asked: 10,000,000 comparisons of text take longer than the join.
        """
        return f"case when {self._is_own} then op else '{Entry.VOID}' end" if self._is_shared else "op"

    @property
    def _is_own(self) -> str:
        """SQL for the rows of this side."""
        return f"writer = '{_escaped(self._authorship.writer)}'" if self._is_shared else "true"

    def earlier(self) -> ArrowStream:
        """What is remembered of contacts that are no members: contact_id, op, changed_at, decided_at, wrote.

        A record of another side may be an `add`: the contact was entered by that side.
        """
        return self._log.present(
            "contact_id, op, changed_at, decided_at, wrote", f"op <> '{Entry.ADD}' or not ({self._is_own})"
        )

    def decisions(self) -> ArrowStream:
        """When the members were recorded, and had decided: contact_id, changed_at, decided_at."""
        return self._log.present("contact_id, changed_at, decided_at", f"op = '{Entry.ADD}' and {self._is_own}")

    def records(self, contact_id: str) -> list[tuple[str, datetime, str]]:
        """The latest entry of one contact (a canonical GUID), when it was made and by whom; at most one."""
        found = self._log.rows(
            f"select op, changed_at, writer from ({self._log.folded()}) where contact_id = {ids.sql(contact_id)}"
            " limit 1"
        )
        return [(str(row["op"]), cast(datetime, row["changed_at"]), str(row["writer"])) for row in found]

    def sample(self, size: int) -> list[str]:
        """Some members, at random."""
        members = f"select contact_id from ({self._log.folded()}) where op = '{Entry.ADD}' and {self._is_own}"
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
            f" and {self._is_own} and (({sent}) or {not_done}) group by contact_id"
            f" having max(case when {sent} then seq end) > coalesce(max(case when {not_done} then seq end), -1)"
        )

    def announced(self, operation: Operation, at: datetime) -> Announced:
        """Return the contacts that were announced at that moment and have no outcome."""
        return batches.announced(self._log, operation, at, self._is_own)

    def announcements(self, since: datetime) -> list[Batch]:
        """Return each announcement at or after `since` that is the latest entry of some contacts."""
        return batches.announcements(self._log, since, self._is_own)

    def peak(self, since: datetime, members: int) -> int:
        """The highest membership at or after `since`; `members` is how many there are now.

        A change counts as one member more or less, as runs only send what their diff found.
        """
        rows = self._log.rows(
            "select seq, op, count(*) as contacts from log"
            f" where seq <> {self._log.base} and changed_at >= {moment.sql(since)} and {self._is_own}"
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
    ) -> None:
        """Have the next `commit` record what Engage acknowledged, or showed, of the contacts (each once) at time `at`.

        `approval` is the digest of the approved plan they went out on, or ADOPTED; only what has none counts in the
        guards' window. `decided` has what the rows said of when the persons decided. The only method that may be called
        while another thread commits.
        """
        if contact_ids:
            self._noted.append(entries.noted(entry, contact_ids, at, approval, decided or {}, self._authorship))

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
        """What a rebase keeps for ever: where people decide for themselves, also that somebody was declined or left."""
        return f"op not in ({_OFF})" if self._side.on_enter == ON_LABEL else f"op <> '{Entry.VOID}'"


def _escaped(text: str) -> str:
    return text.replace("'", "''")


def _written(side: Side) -> dict[Entry, str | None]:
    """What each entry of a side writes in Engage; Keep writes nothing."""
    entering, leaving = _VALUES[side.on_enter], _VALUES[side.on_exit]
    removals = dict.fromkeys((Entry.REMOVE, Entry.LEAVING, Entry.CLEARING), leaving)
    return {Entry.ADD: entering, Entry.ASKED: entering, **removals}
