"""One run's sets and counts, from source rows to the changes that may go out."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import cached_property
from types import TracebackType

from arro3.core import Array, DataType, Table

from voyado_operator.arrow import ArrowStream
from voyado_operator.domain.contacts import Contacts
from voyado_operator.domain.decisions import DecisionColumn, Sampled
from voyado_operator.domain.delivery import Operation
from voyado_operator.domain.matching import BELIEVED, Match, MatchStatus
from voyado_operator.domain.plan import AudienceCounts, DiffCounts
from voyado_operator.domain.standing import Standing
from voyado_operator.workspace import changes, decisions, former, matching, memory, staging
from voyado_operator.workspace.engine import engine, lent, reading
from voyado_operator.workspace.former import FormerMembers
from voyado_operator.workspace.hashing import KeyedHash
from voyado_operator.workspace.matching import Gathered
from voyado_operator.workspace.model import Addresses, Ambiguous, Columns, Detail, Lot


class Workspace:
    """An in-memory DuckDB for one run, in this order: recall, stage, identify, diff, then the rest.

    A context manager; everything is gone at its end. One thread at a time. `key` is the secret of the keyed hashes.
    """

    def __init__(self, key: bytes, memory_limit: str, ambiguous: Ambiguous = Ambiguous.SKIP) -> None:
        self._keyed = KeyedHash(key)
        self._memory_limit = memory_limit
        self._ambiguous = ambiguous
        self._exits = ExitStack()
        self.decision_column = DecisionColumn()

    def __enter__(self) -> "Workspace":
        self._connection = self._exits.enter_context(engine(self._memory_limit))
        for part in (matching, changes, memory, former):
            self._connection.execute(part.SCHEMA)
        self.former = FormerMembers(self._connection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    def recall(self, remembered: ArrowStream, now: datetime) -> None:
        """Take in earlier answers (address_hash, status, contact_id, expires_at), as Identities gives them.

        Those that have expired at `now` serve only if no new answer comes. Raises LedgerUnavailable.
        """
        with reading("the remembered matches"), lent(self._connection, "remembered", remembered):
            self._connection.execute(
                "insert into known select address_hash, status, contact_id::uuid, expires_at > $now and expires_at"
                " <= if(status = $matched, $latest_match, $latest_other) from remembered",
                {
                    "now": now,
                    "matched": str(MatchStatus.MATCHED),
                    "latest_match": now + BELIEVED[MatchStatus.MATCHED],  # beyond it, a clock was wrong
                    "latest_other": now + BELIEVED[MatchStatus.UNMATCHED],
                },
            )

    def stage(
        self,
        stream: ArrowStream,
        columns: Columns,
        now: datetime,
        lookup_limit: int = 100_000,
    ) -> Addresses:
        """Read the audience to its end; return the addresses to look up, `lookup_limit` at most.

        `now` is the start of the run. Raises SourceFailed, and what the stream raises.
        """
        wanted = staging.stage(self._connection, stream, columns, self._keyed, lookup_limit, now)
        if columns.decided_at is not None:
            self.decision_column = decisions.settle(self._connection)
        for address_hash in matching.drop_contradictory(self._connection):
            wanted.pop(address_hash, None)
        return wanted

    def sample_decisions(self) -> Sampled:
        """Of the same contacts in every run, when they decided; nothing in it names anybody."""
        _ = self._gathered
        return decisions.sample(self._connection, self._keyed)

    def identify(self, matches: Iterable[Match]) -> None:
        """Take in Engage's answers, in any number of calls."""
        matching.learn(self._connection, matches)

    @cached_property
    def _gathered(self) -> Gathered:
        return matching.gather(self._connection, self._ambiguous)

    def fingerprint(self) -> str:
        """What tells this audience from others, whatever the order of its rows."""
        _ = self._gathered
        return matching.fingerprint(self._connection)

    def same(self, contacts: int) -> tuple[AudienceCounts, DiffCounts]:
        """What `diff` says of an audience that is known to be so many members and nobody else."""
        return self._gathered.counts(contacts), DiffCounts(entering=0, leaving=0, unchanged=contacts, members=contacts)

    def counted(self) -> AudienceCounts:
        """The audience in numbers, compared with nothing."""
        return self._gathered.counts(matching.distinct(self._connection))

    def diff(self, standing: Standing) -> tuple[AudienceCounts, DiffCounts]:
        """Compare the audience with who is on the target, or may be. Raises LedgerUnavailable when that cannot be read.

        A pending row has no contact yet: if its contact is a member, it shows as leaving.
        """
        gathered = self._gathered
        with reading("the ledger's members"):
            contacts, diff = changes.diff(self._connection, standing)
            return gathered.counts(contacts), diff

    def renew(self, members: ArrowStream) -> int:
        """Take members into the diff whose row tells of a later decision than was sent; return how many.

        `members` has contact_id, changed_at and decided_at. Raises LedgerUnavailable.
        """
        with reading("the ledger's members"):
            return changes.renew(self._connection, members)

    @property
    def tells_decisions(self) -> bool:
        """Whether a row says when its person decided."""
        return matching.tells_decisions(self._connection)

    def drop_declined(self, earlier: ArrowStream) -> int:
        """Take entering contacts out of the diff whom Engage showed to have said no; return how many.

        `earlier` has the ledger's records of contacts that are no members. Whose row tells of a newer decision stays.
        Raises LedgerUnavailable.
        """
        with reading("what the ledger remembers"):
            return memory.drop_declined(self._connection, earlier)

    def hold_doubted(self) -> int:
        """Keep contacts from being opted in who may have said no to a ledger that was lost.

        Whose row tells of a decision since goes out. Returns how many are kept, but for those that Engage refused
        lately.
        """
        return memory.hold_doubted(self._connection)

    def park(self, refused: ArrowStream, generation: int, now: datetime) -> None:
        """Keep changes from going out that Engage refused lately, in this generation. Raises LedgerUnavailable."""
        with reading("the parked changes"):
            memory.park(self._connection, refused, generation, now)

    def details(self, contact_ids: Sequence[str]) -> dict[str, Detail]:
        """What is known of single changes."""
        return memory.details(self._connection, contact_ids)

    def address_hash(self, address: str) -> str:
        return self._keyed.hexdigest(address)

    def count_parked(self, operation: Operation) -> int:
        """How many contacts of the operation Engage refused lately."""
        return changes.count_parked(self._connection, operation)

    def count_unanswered(self) -> int:
        """How many changes an earlier run may have sent already."""
        return changes.count_unanswered(self._connection)

    def wait(self, operation: Operation, contact_ids: Sequence[str]) -> int:
        """Keep the operation on these contacts for a later run; return how many changes that are."""
        wanted = Table.from_pydict({"contact_id": Array(list(contact_ids), type=DataType.utf8())})
        return changes.wait(self._connection, operation, wanted)

    def hold_unanswered(self) -> int:
        """Keep changes from going out that an earlier run may have sent already; return how many."""
        return changes.hold_unanswered(self._connection)

    def digest(self, seed: str) -> str:
        """`sha256:…` of the exact sets, entering and leaving, and of `seed`."""
        return changes.digest(self._connection, seed)

    def sample(self, operation: Operation, limit: int = 10) -> list[str]:
        """Some contacts of the diff as `h:` and 8 hexadecimal digits of their keyed hash."""
        return changes.sample(self._connection, operation, limit, self._keyed)

    def changes(self, operation: Operation, lot: Lot, sizes: Iterable[int]) -> Iterator[Contacts]:
        """The contacts that may go out, at most so many at a time; other calls may come in between."""
        return changes.due(self._connection, operation, lot, sizes)

    def count(self, operation: Operation) -> int:
        """How many contacts `changes` yields."""
        return changes.count_due(self._connection, operation)

    def count_held(self, operation: Operation) -> int:
        """How many contacts of the operation are kept from going out."""
        return changes.count_held(self._connection, operation)

    def keep_changes(self) -> None:
        """Forget everything but the changes: what follows may take hours, at the rate the tenant allows."""
        changes.forget_the_rest(self._connection)

    def unchanged(self, contact_ids: Sequence[str]) -> list[str]:
        """Those that the diff does not have."""
        return changes.unchanged(self._connection, contact_ids)

    def count_beside(self, operation: Operation, sent: ArrowStream) -> tuple[int, int]:
        """How many contacts `sent` (contact_id) has, and how many changes may go out that are not of these.

        Raises LedgerUnavailable.
        """
        with reading("what was sent lately"):
            return changes.count_beside(self._connection, operation, sent)

    def hold(self, operation: Operation) -> None:
        """Keep all changes of `operation` from going out."""
        changes.hold(self._connection, operation)

    def held(self) -> ArrowStream:
        """The held changes: contact_id and op."""
        return changes.held(self._connection)

    def release(self, approved: ArrowStream) -> None:
        """Let held changes go out if `approved` (contact_id, op) has them too. Raises LedgerUnavailable."""
        self._release(approved)

    def release_unasked(self, approved: ArrowStream) -> None:
        """As `release`, but for changes that may have been sent already."""
        self._release(approved, changes.UNASKED)

    def _release(self, approved: ArrowStream, among: str = "true") -> None:
        with reading("the approved plan"):
            changes.release(self._connection, approved, among)
