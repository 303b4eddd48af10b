"""Many contacts at once."""

from binascii import unhexlify
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from struct import Struct, iter_unpack
from typing import overload

LENGTH = 36  # of a GUID as text
FEW = 3_000  # whose text malloc does not take from the system (128 KiB): to touch new memory takes as long as the work
_HYPHENS = (8, 13, 18, 23)


class Contacts(Sequence[str]):
    """contactIds (canonical GUIDs) in one piece: 1,000,000 are paged out, sent and recorded in 0.12 s, not 0.46."""

    def __init__(self, text: bytes) -> None:
        """`text` has the GUIDs one after the other.

        Raises ValueError, which quotes none: where one was longer than a GUID and another shorter, their neighbours
        would be other people.
        """
        self.text = text
        hyphens = b"-" * len(self)
        if len(text) % LENGTH or any(text[place::LENGTH] != hyphens for place in _HYPHENS):
            raise ValueError("a contactId is no canonical GUID")

    @classmethod
    def of(cls, contact_ids: Sequence[str]) -> "Contacts":
        """These contacts, in one piece if they are not already. Raises ValueError."""
        return contact_ids if isinstance(contact_ids, Contacts) else cls("".join(contact_ids).encode())

    @classmethod
    def joined(cls, several: Iterable["Contacts"]) -> "Contacts":
        some = [contacts for contacts in several if contacts]
        return some[0] if len(some) == 1 else cls(b"".join(contacts.text for contacts in some))

    @classmethod
    def pages(cls, texts: Iterator[memoryview], sizes: Iterable[int]) -> Iterator["Contacts"]:
        """The GUIDs of `texts`, up to so many at a time, copied once: 1,000,000 in 0.03 s, 0.1 s when cut twice."""
        text, remaining = memoryview(b""), filter(None, texts)
        for size in sizes:
            pieces, missing = list[memoryview](), size * LENGTH
            while missing and (text or (text := next(remaining, text))):
                pieces.append(text[:missing])
                text = text[missing:]
                missing -= len(pieces[-1])
            if not pieces:
                return
            yield cls(b"".join(pieces))

    def each(self) -> tuple[bytes, ...]:
        """The GUIDs as ASCII, 30 ns each; of as many as one request takes."""
        return _guids(len(self)).unpack(self.text)

    @cached_property
    def values(self) -> bytes:
        """The 16 bytes of each GUID, made when first asked for. Raises ValueError."""
        return binary(self.text)

    def __len__(self) -> int:
        return len(self.text) // LENGTH

    def __iter__(self) -> Iterator[str]:
        return (guid.decode() for (guid,) in iter_unpack(f"{LENGTH}s", self.text))

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


def binary(guids: bytes | memoryview) -> bytes:
    """The 16 bytes of each of the GUIDs, which come one after the other: 25 ns each, 40 with bytes.translate.

    Raises ValueError, which quotes none.
    """
    starts = range(0, len(guids), FEW * LENGTH)
    return b"".join(unhexlify(_digits(bytearray(guids[at : at + FEW * LENGTH]))) for at in starts)


def _digits(guids: bytearray) -> bytearray:
    hyphens = b"-" * (len(guids) // LENGTH)
    for deleted, place in enumerate(reversed(_HYPHENS)):
        distance = LENGTH - deleted  # to that of the next GUID
        if len(guids) % distance or guids[place::distance] != hyphens:
            raise ValueError("a contactId is no canonical GUID")
        del guids[place::distance]
    return guids


@lru_cache(2)  # a full request and the last; struct.unpack would keep 100, each as large as its text
def _guids(number: int) -> Struct:
    return Struct(f"{LENGTH}s" * number)
