"""Whose a ledger is, and whether it is the one that a status tells of.

A ledger has an id. Every run that sends something claims it first, by a commit with a number, which counts the claims,
and a random mark. A status keeps id, version and mark. A ledger whose claim of that number has that mark, and whose
next claim came after that version, is the status's own, wherever it lies. Anything else has lost something: a copy that
was put back, a copy that went its own way, or another ledger.

    claim 7          claim 8                     the status says: version 24, mark 7-5c0e…
    ├─ v22 v23 v24   ├─ v25 v26                  ours: claim 7 has mark 5c0e…, and claim 8 began after version 24
    └──────────────  └─ v24 v25 (put back at 23) lost: claim 8 began at version 24

The numbers are Delta application transactions, which log clean-up keeps. Marks of the last KEPT claims are kept.
"""

import secrets
from dataclasses import replace
from typing import Any

from voyado_operator.api.activation_status import LedgerRef
from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.domain.ledger_info import LedgerInfo
from voyado_operator.ledger.changelog import ChangeLog

KEPT = 64


class Claims:
    """The id, the marks and the owners of one ledger. Every method raises LedgerUnavailable."""

    def __init__(self, log: ChangeLog) -> None:
        self._log = log

    @property
    def info(self) -> LedgerInfo:
        """What the ledger says of itself."""
        try:
            return LedgerInfo.read(self._log.description)
        except (ValueError, KeyError, TypeError):
            raise LedgerUnavailable(
                f"the table at {self._log.url} does not say which ledger it is: another program has written to it, or "
                "another version of the operator; move it away (docs/runbook.md, the ledger was lost)"
            ) from None

    def change(self, **changes: Any) -> None:
        """Commit another description. It fences other writers."""
        self._log.describe(replace(self.info, **changes).written())

    @property
    def number(self) -> int:
        """How many claims there were."""
        return self._log.number_of("claim") or 0

    def claim(self, info: LedgerInfo | None) -> None:
        """Commit that a run is about to send, and what the ledger says of itself from then on; None: as before.

        Of two that opened the ledger before, the later fails here.
        """
        number = self.number + 1
        mark, began = f"mark-{number % KEPT}", f"from-{number % KEPT}"
        numbers = {"claim": number, mark: secrets.randbits(62), began: self._log.table.version() + 1}
        if info is None:
            self._log.set_numbers(**numbers)
        else:
            self._log.describe(info.written(), **numbers)

    def reference(self) -> LedgerRef:
        """What a status keeps of the ledger as it is now."""
        number = self.number
        mark = f"{number}-{self._log.number_of(f'mark-{number % KEPT}'):x}" if number else None
        return LedgerRef(url=self._log.url, id=self.info.id, version=self._log.table.version(), mark=mark)

    def is_vouched_for(self, reference: LedgerRef) -> bool:
        """Whether this is the ledger that the reference tells of, or what our own runs made of it since."""
        if reference.id != self.info.id or self._log.table.version() < reference.version:
            return False
        return self._has_mark(reference) and not self._log.is_foreign_since(reference.version)

    def _has_mark(self, reference: LedgerRef) -> bool:
        number, _, mark = (reference.mark or "0-").partition("-")
        claim = int(number) if number.isdigit() else 0
        if claim and f"{self._log.number_of(f'mark-{claim % KEPT}') or 0:x}" != mark:
            return False
        following = claim + 1
        began = self._log.number_of(f"from-{following % KEPT}") if self.number >= following else None
        return self.number < claim + KEPT and (began is None or began > reference.version)
