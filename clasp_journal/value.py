"""A CLASP value, as the bytes that travel and as a Python object.

Laws: every integer stays an integer and every float a float; NaN, the infinities, -0.0, bytes and the
order of maps survive; nothing is allocated from a count that a peer claims; any bytes give a value or
`BadValue`, never anything else.

An *encoded* value is one type byte and its data. Most of the house only passes such bytes on:
`skip` finds their end and checks them without building an object.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import TypeAlias, Union

from clasp_journal.errors import BadValue

Value: TypeAlias = Union[bool, int, float, str, bytes, "list[Value]", "dict[str, Value]", None]

DEPTH_MAX = 32
"""Containers within containers; published clients break at depths that are legal elsewhere."""
LENGTH_MAX = 0xFFFF
"""Bytes in a string, elements in an array or map: the wire counts in 16 bits."""


class ValueType(IntEnum):
    """The type byte. Encoders write the canonical ones; I8, I16, I32 and F32 are only read."""

    NULL = 0x00
    BOOL = 0x01
    I8 = 0x02
    I16 = 0x03
    I32 = 0x04
    I64 = 0x05
    F32 = 0x06
    F64 = 0x07
    STRING = 0x08
    BYTES = 0x09
    ARRAY = 0x0A
    MAP = 0x0B


NULL = b"\x00"
"""The encoded null."""

FIXED_SIZES = (0, 1, 1, 2, 4, 8, 4, 8)
"""Data bytes of the types that always have the same number, by type byte."""

_STRING, _BYTES, _ARRAY, _MAP = 8, 9, 10, 11

_I64 = struct.Struct(">Bq")
_F64 = struct.Struct(">Bd")
_NUMBER, _NUMBER_BYTES = 7, 9
_unpack_f64 = _F64.unpack
_HEAD = struct.Struct(">BH")
_COUNT = struct.Struct(">H")
_SCALARS = (
    None,
    struct.Struct(">?"),
    struct.Struct(">b"),
    struct.Struct(">h"),
    struct.Struct(">i"),
    struct.Struct(">q"),
    struct.Struct(">f"),
    struct.Struct(">d"),
)


def encode(value: Value) -> bytes:
    """The canonical bytes of a value: type byte, then data."""
    parts: list[bytes] = []
    _encode_into(parts, value, 0)
    return b"".join(parts)


def decode(data: bytes) -> Value:
    """The value of bytes that hold exactly one encoded value."""
    if len(data) == _NUMBER_BYTES:  # floats are most of all values
        number: float
        kind, number = _unpack_f64(data)
        if kind == _NUMBER:
            return number
    value, end = read(data, 0)
    if end != len(data):
        raise BadValue(f"{len(data) - end} bytes follow the value")
    return value


def validate(data: bytes) -> None:
    """Check that bytes hold exactly one encoded value, building nothing."""
    if not data:
        raise BadValue("no value type")
    end = skip(data[0], data, 1)
    if end != len(data):
        raise BadValue(f"{len(data) - end} bytes follow the value")


def read(data: bytes, at: int) -> tuple[Value, int]:
    """The encoded value that starts at `at`, and the offset behind it."""
    if at >= len(data):
        raise BadValue("no value type")
    return read_data(data[at], data, at + 1)


def read_data(kind: int, data: bytes, at: int, depth: int = 0) -> tuple[Value, int]:
    """The value of type `kind` whose data start at `at`, and the offset behind it."""
    if not kind:
        return None, at
    if kind < _STRING:
        end = at + FIXED_SIZES[kind]
        if end > len(data):
            raise BadValue("value cut off")
        scalar = _SCALARS[kind]
        assert scalar is not None
        value: Value = scalar.unpack_from(data, at)[0]
        return value, end
    if kind > _MAP:
        raise BadValue(f"value type 0x{kind:02x} is not assigned")
    count, at = _read_count(data, at)
    if kind < _ARRAY:
        end = at + count
        raw = data[at:end]
        if len(raw) != count:
            raise BadValue("value cut off")
        return (_text(raw) if kind == _STRING else raw), end
    if depth >= DEPTH_MAX:
        raise BadValue(f"value nested deeper than {DEPTH_MAX}")
    return (_read_array if kind == _ARRAY else _read_map)(count, data, at, depth + 1)


def skip(kind: int, data: bytes, at: int, depth: int = 0) -> int:
    """The offset behind the data, starting at `at`, of a value of type `kind`, all of it checked."""
    size = len(data)
    if kind < _STRING:
        end = at + FIXED_SIZES[kind]
        if end > size:
            raise BadValue("value cut off")
        return end
    if kind > _MAP:
        raise BadValue(f"value type 0x{kind:02x} is not assigned")
    count, at = _read_count(data, at)
    if kind < _ARRAY:
        end = at + count
        if end > size:
            raise BadValue("value cut off")
        if kind == _STRING:
            _text(data[at:end])
        return end
    if depth >= DEPTH_MAX:
        raise BadValue(f"value nested deeper than {DEPTH_MAX}")
    keyed = kind == _MAP
    for _ in range(count):
        if keyed:
            length, at = _read_count(data, at)
            key_end = at + length
            if key_end > size:
                raise BadValue("map key cut off")
            _text(data[at:key_end])
            at = key_end
        if at >= size:
            raise BadValue("value cut off")
        at = skip(data[at], data, at + 1, depth + 1)
    return at


def _read_array(count: int, data: bytes, at: int, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    for _ in range(count):
        if at >= len(data):
            raise BadValue("array cut off")
        item, at = read_data(data[at], data, at + 1, depth)
        items.append(item)
    return items, at


def _read_map(count: int, data: bytes, at: int, depth: int) -> tuple[Value, int]:
    entries: dict[str, Value] = {}
    for _ in range(count):
        length, at = _read_count(data, at)
        raw = data[at : at + length]
        at += length
        if len(raw) != length or at >= len(data):
            raise BadValue("map cut off")
        entries[_text(raw)], at = read_data(data[at], data, at + 1, depth)
    return entries, at


def _read_count(data: bytes, at: int) -> tuple[int, int]:
    if at + 2 > len(data):
        raise BadValue("length cut off")
    return data[at] << 8 | data[at + 1], at + 2


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadValue("text is not valid UTF-8") from None


def _encode_into(parts: list[bytes], value: object, depth: int) -> None:
    match value:
        case None:
            parts.append(NULL)
        case bool():
            parts.append(b"\x01\x01" if value else b"\x01\x00")
        case int():
            if not -(1 << 63) <= value < 1 << 63:
                raise BadValue(f"integer {value} does not fit into 64 bits")
            parts.append(_I64.pack(ValueType.I64, value))
        case float():
            parts.append(_F64.pack(ValueType.F64, value))
        case str():
            raw = _utf8(value)
            parts += (_head(ValueType.STRING, len(raw)), raw)
        case bytes() | bytearray() | memoryview():
            parts += (_head(ValueType.BYTES, len(value)), bytes(value))
        case list() | tuple() | Mapping():
            if depth >= DEPTH_MAX:
                raise BadValue(f"value nested deeper than {DEPTH_MAX}")
            _encode_container(parts, value, depth + 1)
        case _:
            raise BadValue(f"{type(value).__name__} has no CLASP value")


def _encode_container(
    parts: list[bytes], value: list[object] | tuple[object, ...] | Mapping[object, object], depth: int
) -> None:
    if not isinstance(value, Mapping):
        parts.append(_head(ValueType.ARRAY, len(value)))
        for item in value:
            _encode_into(parts, item, depth)
        return
    parts.append(_head(ValueType.MAP, len(value)))
    for key, item in value.items():
        if not isinstance(key, str):
            raise BadValue(f"map key {key!r} is not a string")
        raw = _utf8(key)
        if len(raw) > LENGTH_MAX:
            raise BadValue(f"map key of {len(raw)} bytes; the wire carries {LENGTH_MAX}")
        parts += (_COUNT.pack(len(raw)), raw)
        _encode_into(parts, item, depth)


def _head(kind: ValueType, length: int) -> bytes:
    if length > LENGTH_MAX:
        raise BadValue(f"{kind.name.lower()} of length {length}; the wire carries {LENGTH_MAX}")
    return _HEAD.pack(kind, length)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadValue("text holds a lone surrogate") from None
