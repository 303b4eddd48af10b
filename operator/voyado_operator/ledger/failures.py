"""One translation of whatever the storage throws."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError

from voyado_operator.domain.errors import LedgerUnavailable

# How Rust words an error of the operating system, in whatever layer's sentence it stands: its Display and its Debug.
_NUMBER = re.compile(r"\(os error (\d+)\)|Os \{ code: (\d+)")


class Overtaken(LedgerUnavailable):
    """Another writer committed since the table was opened."""

    reason = "LedgerUnavailable"


@contextmanager
def unavailable(url: str, purpose: str) -> Iterator[None]:
    """Turn any failure of the table at `url` into LedgerUnavailable.

    Only the error's class and the operating system's own words go into the message: a text of the storage layer may
    quote rows.
    """
    try:
        yield
    except LedgerUnavailable:
        raise
    except CommitFailedError as error:
        raise Overtaken(f"could not {purpose} the table at {url}: another writer committed meanwhile") from error
    except Exception as error:  # DataFusion raises bare Exception, delta-rs DeltaError, OSError and ValueError
        number = system_error(error)
        why = type(error).__name__ if number is None else os.strerror(number)
        raise LedgerUnavailable(
            f"could not {purpose} the table at {url}: {why}; check the storage and its credentials"
        ) from error


def system_error(error: BaseException) -> int | None:
    """Return the operating system's number of the error (errno), None where it is another's."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _NUMBER.search(str(error))
    return int(found[1] or found[2]) if found else None
