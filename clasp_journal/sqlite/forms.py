"""A CLASP value as SQL holds it, and back to the same bits.

Law: `encoded_of(*form_of(encoded)) == encoded` for any bytes and for None. `value` is the natural SQL value
wherever there is one, so that people can compare and compute; `raw` is there exactly when `value` and
`value_type` do not tell everything.
"""

from __future__ import annotations

import json
import math
import struct
from typing import TypeAlias

from clasp_journal import value as values
from clasp_journal.errors import BadValue
from clasp_journal.value import Value, ValueType

Cell: TypeAlias = int | float | str | bytes | None
Form: TypeAlias = tuple[int | None, Cell, bytes | None]
"""value_type, value, raw."""

ABSENT: Form = (None, None, None)

TAGGED_F64 = struct.Struct(">Bd")
_F64 = struct.Struct(">d")
_TAGGED_I64 = struct.Struct(">Bq")
_F32 = struct.Struct(">f")
_TEXT_HEAD = struct.Struct(">BH")
_INT_SIZES = {ValueType.I8: 1, ValueType.I16: 2, ValueType.I32: 4, ValueType.I64: 8}


def form_of(encoded: bytes | None) -> Form:
    """The SQL form of an encoded value."""
    if encoded is None:
        return ABSENT
    if not encoded:
        return None, None, encoded
    kind, data = encoded[0], encoded[1:]
    if kind == ValueType.F64 and len(data) == 8:
        number = _F64.unpack(data)[0]
        return (kind, None, encoded) if math.isnan(number) else (None, number, None)
    if kind in _INT_SIZES and len(data) == _INT_SIZES[ValueType(kind)]:
        return None if kind == ValueType.I64 else kind, int.from_bytes(data, "big", signed=True), None
    if kind == ValueType.F32 and len(data) == 4:
        number = _F32.unpack(data)[0]
        return (kind, None, encoded) if math.isnan(number) else (kind, number, None)
    if kind == ValueType.BOOL and data in (b"\0", b"\1"):
        return kind, data[0], None
    if encoded == values.NULL:
        return kind, None, None
    return _form_of_sized(kind, encoded)


def _form_of_sized(kind: int, encoded: bytes) -> Form:
    try:
        value = values.decode(encoded)
    except BadValue:
        return kind, None, encoded
    if kind == ValueType.STRING:
        assert isinstance(value, str)
        return None, value, None
    if kind == ValueType.BYTES:
        assert isinstance(value, bytes)
        return kind, value, None
    return kind, readable(value), encoded


def encoded_of(value_type: int | None, value: Cell, raw: bytes | None) -> bytes | None:
    """The bytes that a form was made of. Text comes as bytes."""
    if raw is not None:
        return raw
    if value_type is None:
        if isinstance(value, float):
            return TAGGED_F64.pack(ValueType.F64, value)
        if isinstance(value, int):
            return _TAGGED_I64.pack(ValueType.I64, value)
        if isinstance(value, bytes):
            return _TEXT_HEAD.pack(ValueType.STRING, len(value)) + value
        return None
    if isinstance(value, bytes):
        return _TEXT_HEAD.pack(value_type, len(value)) + value
    if value is None:
        return bytes((value_type,))
    if value_type == ValueType.F32:
        return bytes((value_type,)) + _F32.pack(value)
    if value_type == ValueType.BOOL:
        return bytes((value_type, int(value) & 0xFF))
    return bytes((value_type,)) + int(value).to_bytes(_INT_SIZES[ValueType(value_type)], "big", signed=True)


def readable(value: Value) -> str:
    """A value as JSON for people; what JSON has no word for becomes a string."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        return json.dumps(_speakable(value), ensure_ascii=False)


def _speakable(value: Value) -> object:
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case bytes():
            return "0x" + value.hex()
        case list():
            return [_speakable(item) for item in value]
        case dict():
            return {key: _speakable(item) for key, item in value.items()}
        case _:
            return value
