"""contactIds as a ledger holds them: the 16 bytes of the GUID.

Text is read by more people, but as text each id takes 208 ns to check when it is compared with an audience: 10,000,000
take 4.6 s at 2 GB instead of 2.6.
"""

from uuid import UUID

from arro3.core import Array

from voyado_operator.arrow import cut
from voyado_operator.domain.contacts import Contacts


def column(contacts: Contacts) -> Array:
    """The GUIDs as an array of binary values. Raises ValueError, which quotes none."""
    return cut(contacts.values, 16)


def sql(contact_id: str) -> str:
    """The canonical GUID as a literal of DataFusion's SQL."""
    return f"X'{UUID(contact_id).hex}'"


def text(value: bytes) -> str:
    """A value of such a column as a canonical GUID."""
    return str(UUID(bytes=value))
