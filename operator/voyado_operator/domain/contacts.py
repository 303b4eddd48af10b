"""Many contacts at once."""

from collections.abc import Iterable, Iterator, Sequence
from struct import unpack
from typing import overload

LENGTH = 36  # of a GUID as text


class Contacts(Sequence[str]):
    """contactIds (canonical GUIDs) in one piece: 1,000,000 cost 0.05 s to send and to record, as strings 0.4 s."""

    __slots__ = ("text",)

    def __init__(self, text: bytes = b"") -> None:
        """`text` has the GUIDs one after the other.

        Raises ValueError, which quotes none: where one was longer than a GUID and another shorter, their neighbours
        would be other people.
        """
        self.text = text
        if len(text) % LENGTH or text[8::LENGTH] != b"-" * len(self):
            raise ValueError("a contactId is no canonical GUID")

    @classmethod
    def of(cls, contact_ids: Sequence[str]) -> "Contacts":
        """These contacts, in one piece if they are not already. Raises ValueError."""
        return contact_ids if isinstance(contact_ids, Contacts) else cls("".join(contact_ids).encode())

    @classmethod
    def joined(cls, several: Iterable["Contacts"]) -> "Contacts":
        return cls(b"".join(contacts.text for contacts in several))

    def each(self) -> tuple[bytes, ...]:
        """The GUIDs as ASCII, 30 ns each."""
        return unpack(f"{LENGTH}s" * len(self), self.text)

    def __len__(self) -> int:
        return len(self.text) // LENGTH

    def __iter__(self) -> Iterator[str]:
        return (guid.decode() for guid in self.each())

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> "Contacts": ...

    def __getitem__(self, index: "int | slice") -> "str | Contacts":
        if isinstance(index, int):
            first = range(len(self))[index] * LENGTH
            return self.text[first : first + LENGTH].decode()
        start, stop, step = index.indices(len(self))
        if step != 1:
            raise ValueError("contacts come without gaps")
        return Contacts(self.text[start * LENGTH : stop * LENGTH])
