"""Values in Thrift's compact protocol, in which the footer and the headers of pages of a Parquet file are written.

Source: thrift/doc/specs/thrift-compact-protocol.md of Apache Thrift. Only what these contain is known here: there are
no maps and no sets in them.
"""

from __future__ import annotations

from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 12
"""Types of fields."""
_SIZES = {BYTE: 1, DOUBLE: 8}
"""Bytes of values that are kept as they are written."""
_LONG_LIST = 15
_DEEPEST = 32
_LONGEST_SHIFT = 63


class Items(list[Any]):
    """Values of a list, which all have one type.

    Parameters
    ----------
    kind : int
        Type of the values.
    values : iterable
        Values.
    """

    def __init__(self, kind: int, values: Any = ()) -> None:
        super().__init__(values)
        self.kind = kind


Fields = dict[int, tuple[int, Any]]
"""A struct: number of a field to its type and value."""


class ThriftReader:
    """Reads structs.

    Parameters
    ----------
    data : bytes
        Bytes that have the struct.
    place : int, optional
        Where it begins.

    Attributes
    ----------
    place : int
        Where what follows the last struct begins.

    Raises
    ------
    ValueError
        When the place is before the data.
    """

    def __init__(self, data: bytes, place: int = 0) -> None:
        if place < 0:
            raise ValueError("a struct begins before the data")
        self._data, self.place = data, place

    def struct(self, depth: int = 0) -> Fields:
        """The struct at this place.

        Raises
        ------
        ValueError, IndexError
            When the bytes are no struct.
        """
        if depth > _DEEPEST:
            raise ValueError("structs are nested too deep")
        fields: Fields = {}
        last = 0
        while head := self._byte():
            kind, step = head & 15, head >> 4
            last = last + step if step else self._zigzag()
            fields[last] = kind, self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int, *, in_list: bool = False) -> Any:
        if kind in (TRUE, FALSE):
            return self._byte() == TRUE if in_list else kind == TRUE
        if kind == BINARY:
            return self._take(self._varint())
        if kind in (I16, I32, I64):
            return self._zigzag()
        if kind in (LIST, STRUCT):
            return self._list(depth + 1) if kind == LIST else self.struct(depth + 1)
        if kind in _SIZES:
            return self._take(_SIZES[kind])
        raise ValueError(f"type {kind} is not known")

    def _list(self, depth: int) -> Items:
        head = self._byte()
        size = head >> 4
        size = self._varint() if size == _LONG_LIST else size
        if size > len(self._data):
            raise ValueError("a list is longer than the data")
        return Items(head & 15, [self._value(head & 15, depth, in_list=True) for _ in range(size)])

    def _byte(self) -> int:
        value = self._data[self.place]
        self.place += 1
        return value

    def _take(self, size: int) -> bytes:
        value = self._data[self.place : self.place + size]
        if len(value) != size:
            raise ValueError("the data end too early")
        self.place += size
        return value

    def _varint(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > _LONGEST_SHIFT:
                raise ValueError("an integer has more than 64 bits")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


def plain_values(value: Any) -> Any:
    """A struct, or a value of one, without types: a struct becomes a dict of numbers of fields to values."""
    if isinstance(value, dict):
        return {number: plain_values(each) for number, (_, each) in value.items()}
    return [plain_values(each) for each in value] if isinstance(value, Items) else value


def write_struct(fields: Fields) -> bytes:
    """Bytes of a struct."""
    out = bytearray()
    last = 0
    for number, (kind, value) in sorted(fields.items()):
        head = (TRUE if value else FALSE) if kind in (TRUE, FALSE) else kind
        step = number - last
        out += bytes([step << 4 | head]) if 0 < step < 16 else bytes([head]) + _zigzag(number)
        if kind not in (TRUE, FALSE):
            out += _bytes_of(kind, value)
        last = number
    return bytes(out) + b"\0"


def _bytes_of(kind: int, value: Any) -> bytes:
    if kind in (TRUE, FALSE):
        return bytes([TRUE if value else FALSE])
    if kind == BINARY:
        return _varint(len(value)) + bytes(value)
    if kind in (I16, I32, I64):
        return _zigzag(value)
    if kind == LIST:
        size = len(value)
        head = bytes([size << 4 | value.kind]) if size < _LONG_LIST else bytes([0xF0 | value.kind]) + _varint(size)
        return head + b"".join(_bytes_of(value.kind, item) for item in value)
    return write_struct(value) if kind == STRUCT else bytes(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _zigzag(value: int) -> bytes:
    return _varint(value << 1 if value >= 0 else (-value << 1) - 1)
