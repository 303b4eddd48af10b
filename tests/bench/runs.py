"""What runs leave in a ledger, without Engage."""

from collections.abc import Iterable
from datetime import UTC, datetime

from voyado_operator.domain.delivery import Entry
from voyado_operator.ledger.members import Ledger

from tests.ledgers import opened, record


def first(url: str, pages: Iterable[list[str]]) -> None:
    """Make these the members of a new ledger."""
    ledger, now = opened(url), datetime.now(UTC)
    ledger.claim()
    for page in pages:
        ledger.note(Entry.ASKED, page, now)
        ledger.commit()
        ledger.note(Entry.ADD, page, now)
    ledger.commit()
    ledger.found()


def following(ledger: Ledger, entering: list[str], leaving: list[str]) -> None:
    """Announced and acknowledged, first who leaves; all but what is compacted afterwards."""
    now = datetime.now(UTC)
    ledger.claim()
    record(ledger, Entry.LEAVING, leaving, now)
    ledger.note(Entry.REMOVE, leaving, now)
    record(ledger, Entry.ASKED, entering, now)
    record(ledger, Entry.ADD, entering, now)
