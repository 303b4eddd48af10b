"""What remembers bulk updates, and what is told of them."""

from collections.abc import Sequence
from typing import Protocol

from voyado_operator.domain.batches import Batch


class RememberedBatches(Protocol):
    """Bulk updates beside a ledger that Engage may still work on. Blocking; every method raises LedgerUnavailable."""

    def load(self) -> list[Batch]: ...

    def add(self, batches: Sequence[Batch]) -> None: ...

    def keep(self, batches: Sequence[Batch]) -> None: ...


class Journal(Protocol):
    """What the batches of one announcement are told to."""

    async def taken(self, batch_id: str, rows: int) -> None:
        """Remember that Engage has taken the batch; it is on disk when this returns. Raises LedgerUnavailable."""
        ...

    def over(self, batch_id: str) -> None:
        """Engage has told that it works on the batch no more."""
        ...


class _Unremembered:
    async def taken(self, batch_id: str, rows: int) -> None:
        """Forget it."""

    def over(self, batch_id: str) -> None:
        """There is nothing to forget."""


UNREMEMBERED: Journal = _Unremembered()
