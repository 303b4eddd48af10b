"""How tables of any size are handed from part to part without becoming Python objects."""

from typing import Any, Protocol


class ArrowStream(Protocol):
    """Any object that hands out an Arrow C stream (the PyCapsule interface)."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any: ...
