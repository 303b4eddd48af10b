"""How tables of any size are handed from part to part without becoming Python objects: as Arrow C streams.

A producer may compute for long before its next batch is there: a warehouse that waits for a lock, a Delta table of ten
million rows that is folded. arro3 0.9 holds the interpreter's lock meanwhile, and so stops the event loop, the Lease
and every other run: 2 s in a query on 20,000,000 rows, and as long as PostgreSQL pauses. A call through ctypes gives it
up, and so does DuckDB when it reads a stream itself.
Layouts: https://arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html.
"""

import ctypes
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from arro3.core import Array, DataType, RecordBatch, Schema


class ArrowStream(Protocol):
    """Any object that hands out an Arrow C stream (the PyCapsule interface)."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any: ...


class _Schema(ctypes.Structure):
    _fields_ = [("fields", ctypes.c_byte * 56), ("release", ctypes.c_void_p), ("private_data", ctypes.c_void_p)]


class _Array(ctypes.Structure):
    _fields_ = [
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.POINTER(ctypes.c_void_p)),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    ]


Struct = TypeVar("Struct", _Schema, _Array)


class _Stream(ctypes.Structure):
    _fields_ = [
        ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Schema))),
        ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Array))),
        ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    ]


_STREAM, _ARRAY, _SCHEMA = b"arrow_array_stream", b"arrow_array", b"arrow_schema"
_address = ctypes.pythonapi.PyCapsule_GetPointer
_address.restype, _address.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype, _capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_release = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Batches:
    """The batches of a stream, once, each waited for without the interpreter's lock; `schema` is theirs.

    Iterating raises OSError with the producer's words when it fails. Not for a Python generator behind arro3 that is to
    be read by arro3 again: PyO3 then calls Python as if it still had the lock.
    """

    def __init__(self, stream: ArrowStream) -> None:
        self._owner = stream.__arrow_c_stream__()  # it releases the stream when it goes
        self._stream = _Stream.from_address(_address(self._owner, _STREAM))
        with self._described(_Array()) as described:
            self.schema = Schema.from_arrow(described)

    def __iter__(self) -> Iterator[RecordBatch]:
        while (array := self._asked(self._stream.get_next, _Array())).release:
            with self._described(array) as described:
                batch = RecordBatch.from_arrow(described)
            yield batch

    @contextmanager
    def _described(self, array: _Array) -> Iterator["_Described"]:
        """With a schema that whoever imports it leaves to us, as opposed to the array."""
        schema = self._asked(self._stream.get_schema, _Schema())
        try:
            yield _Described(schema, array)
        finally:
            if schema.release:
                _release(schema.release)(ctypes.addressof(schema))

    def _asked(self, question: Any, answer: Struct) -> Struct:
        if code := question(ctypes.addressof(self._stream), ctypes.byref(answer)):
            said = self._stream.get_last_error(ctypes.addressof(self._stream))
            raise OSError(code, said.decode(errors="replace") if said else "the stream failed")
        return answer


@dataclass(frozen=True, slots=True)
class _Described:
    """As much of the PyCapsule interface as arro3 asks for."""

    schema: _Schema
    array: _Array

    def __arrow_c_schema__(self) -> object:
        return _capsule(ctypes.addressof(self.schema), _SCHEMA, None)

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        return self.__arrow_c_schema__(), _capsule(ctypes.addressof(self.array), _ARRAY, None)


def text(values: Array, width: int) -> memoryview:
    """All the text of an array, one value after the other; as Python strings they take 200 ns each.

    The memory is the array's, and there as long as somebody looks at it. Raises TypeError for another type than utf8,
    and ValueError when a value is null or has not `width` bytes.
    """
    if values.type != DataType.utf8():
        raise TypeError(f"text comes as {values.type}")
    _, owner = values.__arrow_c_array__()
    described = _Array.from_address(_address(owner, _ARRAY))
    _, offsets, characters = described.buffers[:3]
    ends = (ctypes.c_int32 * (described.length + 1)).from_address(offsets + 4 * described.offset)
    if values.null_count or bytes(ends) != _even(ends[0], width, described.length):
        raise ValueError(f"not every value has {width} bytes")
    used = (ctypes.c_char * (width * described.length)).from_address(characters + ends[0])
    used.owner = owner
    return memoryview(used).cast("B")


def _even(first: int, width: int, values: int) -> bytes:
    """Where values of one width begin and end, as Arrow tells it."""
    return _evenly(first, width, 1 << (values - 1).bit_length())[: 4 * (values + 1)]


# 80 ns a value. Up to a power of two, as a query with a condition gives batches of as many sizes as there are batches;
# unsigned, as twice what Arrow's signed numbers can say fits into that.
@lru_cache(2)
def _evenly(first: int, width: int, values: int) -> bytes:
    return array("I", range(first, first + width * values + 1, width)).tobytes()


def cut(data: bytes, width: int) -> Array:
    """`data` as an array of binary values of so many bytes each; out of a list of bytes they take 260 ns each.

    The cast copies, so that nothing calls back later: while an error is on its way up, the callback would take its
    place.
    """
    return Array.from_arrow(_Lent(data, width)).cast(DataType.binary())


_in_use: dict[int, object] = {}
"""What arrays that were handed out look at, until whoever has one releases it."""


def _give_back(address: int) -> None:
    values = _Array.from_address(address)
    del _in_use[values.private_data]
    values.release = None


_given_back = _release(_give_back)


@dataclass(frozen=True, slots=True)
class _Lent:
    data: bytes
    width: int

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        characters = ctypes.cast(ctypes.c_char_p(self.data), ctypes.c_void_p)
        buffers = (ctypes.c_void_p * 2)(None, characters)  # the first would tell of nulls
        size, key, release = len(self.data) // self.width, id(buffers), ctypes.cast(_given_back, ctypes.c_void_p)
        values = _Array(length=size, n_buffers=2, buffers=buffers, release=release, private_data=key)
        _in_use[key] = self.data, buffers, values
        return DataType.binary(self.width).__arrow_c_schema__(), _capsule(ctypes.addressof(values), _ARRAY, None)
