"""contactIds as a ledger holds them: the 16 bytes of the GUID.

Text is read by more people, but as text each id takes 208 ns to check when it is compared with an audience: 10,000,000
take 4.6 s at 2 GB instead of 2.6.
"""

from binascii import unhexlify
from collections.abc import Sequence
from uuid import UUID

from arro3.core import Array

from voyado_operator.arrow import cut


def column(contact_ids: Sequence[str]) -> Array:
    """The canonical GUIDs as an array of binary values; 80 ns each.

    Raises ValueError, which quotes none: where one was longer than a GUID and another shorter, their neighbours would
    be other people.
    """
    text = "".join(contact_ids)
    if text[8::36] != "-" * len(contact_ids):
        raise ValueError("a contactId is no canonical GUID")
    return cut(unhexlify(text.encode().translate(None, b"-")), 16)


def sql(contact_id: str) -> str:
    """The canonical GUID as a literal of DataFusion's SQL."""
    return f"X'{UUID(contact_id).hex}'"


def text(value: bytes) -> str:
    """A value of such a column as a canonical GUID."""
    return str(UUID(bytes=value))
