"""One translation of whatever the storage throws."""

from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError

from voyado_operator.domain.errors import LedgerUnavailable


class Overtaken(LedgerUnavailable):
    """Another writer committed since the table was opened."""

    reason = "LedgerUnavailable"


@contextmanager
def unavailable(url: str, purpose: str) -> Iterator[None]:
    """Turn any failure of the table at `url` into LedgerUnavailable.

    Only the error's class goes into the message: a text of the storage layer may quote rows.
    """
    try:
        yield
    except CommitFailedError as error:
        raise Overtaken(f"could not {purpose} the table at {url}: another writer committed meanwhile") from error
    except Exception as error:  # DataFusion raises bare Exception, delta-rs DeltaError, OSError and ValueError
        raise LedgerUnavailable(
            f"could not {purpose} the table at {url}: {type(error).__name__}; check the storage and its credentials"
        ) from error
