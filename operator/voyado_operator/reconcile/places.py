"""Which ledgers a status tells of: that of the present target, and that of a target which an edit left. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from voyado_operator.api.activation_status import LedgerRef


@dataclass(frozen=True, slots=True)
class Places:
    """What the status knows of each ledger.

    `is_former_first`: the former target is to be left before the present one is touched, as another edit came before it
    was left. So there is never more than one former target.
    """

    present: LedgerRef | None
    former: LedgerRef | None
    is_former_first: bool = False


def places(told: LedgerRef | None, left: LedgerRef | None, is_present: Callable[[LedgerRef], bool]) -> Places:
    """Judge by `told`, the status's ledger, and `left`, the ledger of its former target.

    `is_present` says whether a ledger is that of the target that the spec names now, wherever it lies.
    """
    if left is not None and is_present(left):  # edited back before it was left
        return Places(left, told if told is not None and not is_present(told) else None)
    if told is None or is_present(told):
        return Places(told, left)
    return Places(None, left or told, is_former_first=left is not None and left.url != told.url)
