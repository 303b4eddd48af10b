"""What the run needs of the outside, each as small as its use."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from voyado_operator.domain.delivery import Operation, Outcome


class ArrowStream(Protocol):
    """Any object that hands out an Arrow C stream (the PyCapsule interface)."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any: ...


class Source(Protocol):
    """Where an audience comes from. Blocking: used from a worker thread."""

    def read(self) -> AbstractContextManager[ArrowStream]:
        """Open the audience as a stream of Arrow batches.

        Raises SourceFailed when opening fails; an error while the stream is consumed is the consumer's to translate.
        """
        ...


class Target(Protocol):
    """The label, preference or consent that membership drives."""

    @property
    def batch_size(self) -> int:
        """How many contacts one `apply` may carry."""
        ...

    async def check(self) -> None:
        """Raise TargetNotFound when the target does not exist in Engage, as far as that can be known."""
        ...

    async def apply(self, operation: Operation, contact_ids: Sequence[str]) -> list[Outcome]:
        """Do `operation` to the contacts; exactly one outcome per contact.

        Raises CredentialsInvalid on 401 and 403, and EngageUnavailable when nothing of the batch can have been sent.
        """
        ...
