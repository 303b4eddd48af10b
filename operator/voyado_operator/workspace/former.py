"""Whom an edit takes off the target that it left: the table `former_members`.

`former_members` has contact_id, was (the former ledger's op: add, asked, leaving or clearing), held (a guard's block),
parked (Engage refused it lately) and refusals (how often Engage refused it in a row).
"""

from collections.abc import Iterable, Iterator, Sequence

import duckdb

from voyado_operator.arrow import ArrowStream, Batches, text
from voyado_operator.domain.contacts import LENGTH, Contacts
from voyado_operator.domain.delivery import Operation
from voyado_operator.domain.standing import Standing
from voyado_operator.workspace import folding
from voyado_operator.workspace.engine import lent, reading
from voyado_operator.workspace.model import Detail, Lot

WITHDRAW = "withdraw"
"""The op of these in a plan that waits, beside add and remove."""

SCHEMA = "create table former_members (contact_id uuid, was entry, held boolean, parked boolean, refusals bigint);"

_LOTS = {Lot.MEMBERS: "was = 'add'", Lot.OTHERS: "was <> 'add'"}
_MAY_GO = "not held and not parked"


class FormerMembers:
    """Whom an edit takes off the former target. Each method that reads a stream raises LedgerUnavailable."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def fill(self, standing: Standing) -> int:
        """Take everybody who is on the former target, or may be; return how many are members."""
        with reading("the former target's members"):
            folding.fold(self._connection, standing)
        self._connection.execute("insert into former_members select contact_id, op, false, false, 0 from standing")
        self._connection.execute("drop table standing")
        return self._count("was = 'add'")

    def keep_the_audience(self) -> None:
        """Leave those on it who are in the audience. Whose row cannot be told from another's has not left either."""
        for present in ("audience", "matched_by"):
            self._connection.execute(
                "delete from former_members where contact_id in"
                f" (select contact_id from {present} where contact_id is not null)"
            )

    def park(self, refused: ArrowStream, generation: int, now: int) -> None:
        """Keep those back that Engage refused to remove lately, in this generation; `now` is in microseconds."""
        with reading("the parked changes"), lent(self._connection, "lent", refused):
            self._connection.execute(
                "update former_members set refusals = r.attempts, parked = epoch_us(r.until) > $now from lent r"
                " where r.op = 'remove' and r.generation = $generation"
                " and r.contact_id::uuid = former_members.contact_id",
                {"generation": generation, "now": now},
            )

    def count_tried_again(self, enough: int) -> int:
        """How many Engage refused to remove, but not yet so often that they stay for good."""
        return self._count(f"refusals between 1 and {enough - 1:d}")

    def hold(self) -> None:
        """Keep all from going out."""
        self._connection.execute("update former_members set held = true")

    def hold_unanswered(self) -> None:
        """Keep those from going out whose removal may have been sent already."""
        self._connection.execute("update former_members set held = true where was <> 'add'")

    def count_unanswered(self) -> int:
        """How many of them an earlier run may have sent a change already."""
        return self._count("was <> 'add'")

    def wait(self, operation: Operation, contact_ids: Sequence[str]) -> int:
        """Keep the removal of these contacts for a later run; return how many that are."""
        if operation is not Operation.REMOVE:
            return 0
        [(waiting,)] = self._connection.execute(
            "update former_members set parked = true where not parked and contact_id in (select unnest($asked)::uuid)",
            {"asked": list(contact_ids)},
        ).fetchall()
        return int(waiting)

    def release(self, approved: ArrowStream) -> None:
        """Let those held go out that `approved` (contact_id, op) has too."""
        with reading("the approved plan"), lent(self._connection, "approved", approved):
            self._connection.execute(
                "update former_members set held = false from approved a"
                f" where held and a.op = '{WITHDRAW}' and a.contact_id::uuid = former_members.contact_id"
            )

    def count(self, operation: Operation = Operation.REMOVE) -> int:
        """How many may go out."""
        return self._count(_MAY_GO) if operation is Operation.REMOVE else 0

    @property
    def total(self) -> int:
        """How many there are, with those that are kept back."""
        return self._count("true")

    def count_held(self) -> int:
        """How many a guard keeps back."""
        return self._count("held and not parked")

    def count_beside(self, sent: ArrowStream) -> tuple[int, int]:
        """How many contacts `sent` (contact_id) has, and how many others there are that are not of these."""
        with reading("what was sent lately"), lent(self._connection, "lent", sent):
            self._connection.execute(
                "create or replace temp table sent as select contact_id::uuid as contact_id from lent"
            )
        [(earlier,)] = self._connection.execute("select count(*) from sent").fetchall()
        beside = self._count("not parked and contact_id not in (from sent)")
        self._connection.execute("drop table sent")
        return int(earlier), beside

    def changes(self, operation: Operation, lot: Lot, sizes: Iterable[int]) -> Iterator[Contacts]:
        """The contacts that may go out, at most so many at a time; other calls may come in between."""
        found = self._connection.cursor().sql(
            "select contact_id::varchar as contact_id from former_members"
            f" where $op = 'remove' and {_MAY_GO} and {_LOTS[lot]}",
            params={"op": operation.value},
        )
        yield from Contacts.pages((text(batch["contact_id"], LENGTH) for batch in Batches(found)), sizes)

    def details(self, contact_ids: Sequence[str]) -> dict[str, Detail]:
        """How often Engage refused to remove each of them."""
        found = self._connection.execute(
            "select contact_id::varchar, refusals from former_members"
            " where contact_id in (select unnest($asked)::uuid)",
            {"asked": list(contact_ids)},
        ).fetchall()
        return {one: Detail(refusals=refusals) for one, refusals in found}

    def _count(self, condition: str) -> int:
        [(count,)] = self._connection.execute(f"select count(*) from former_members where {condition}").fetchall()
        return int(count)
