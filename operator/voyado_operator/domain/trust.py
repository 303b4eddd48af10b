"""How far a ledger can be believed."""

from enum import StrEnum


class Trust(StrEnum):
    """What a run may conclude from what a ledger says, and from what it does not say.

    ======== ============================================ ======== ======= =======================================
    trust    when                                          members  leavers a no that the ledger does not know
    ======== ============================================ ======== ======= =======================================
    NEW      nothing was ever sent on its account          none     none    is undated, or Engage's date counts
    KNOWN    a status vouches for it                       all      all     as above
    RESUMED  nobody vouches: the status is empty           all      all     counts from now; no trigger is repeated
    LOST     it is not what the status knows               none     none    as above
    ======== ============================================ ======== ======= =======================================
    """

    NEW = "new"
    KNOWN = "known"
    RESUMED = "resumed"
    LOST = "lost"


def trust(*, was_claimed: bool, is_expected: bool, is_vouched_for: bool) -> Trust:
    """Judge a ledger by whether it was ever claimed, as far as is known, and by what statuses say of it.

    `is_expected`: by the activation's own status something was sent on its account. `is_vouched_for`: by that status,
    or by the last one of an owner that is gone, it is the same ledger.
    """
    if is_vouched_for:
        return Trust.KNOWN
    if is_expected:
        return Trust.LOST
    return Trust.RESUMED if was_claimed else Trust.NEW
