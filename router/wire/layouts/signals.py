"""ANNOUNCE, QUERY and RESULT: which signals there are; and FEDERATION_SYNC."""

from __future__ import annotations

import struct

from clasp_journal.entry import SignalType
from router.wire.codes import WireError
from router.wire.layouts.reading import (
    read_encoded,
    read_list,
    read_text,
    read_u64,
    signal_of,
)
from router.wire.layouts.writing import counted, text, u64
from router.wire.messages import (
    Announce,
    FederationOp,
    FederationSync,
    MessageType,
    Meta,
    Query,
    Result,
    SignalDef,
)

_DATATYPE, _ACCESS, _META = 0x01, 0x02, 0x04
_UNIT, _RANGE, _DEFAULT, _DESCRIPTION = 0x01, 0x02, 0x04, 0x08
_SINCE_REVISION, _ORIGIN = 0x80, 0x40

_RANGE_ENDS = struct.Struct(">dd")


def read_announce(data: bytes) -> Announce:
    """ANNOUNCE: a namespace and its signals."""
    namespace, at = read_text(data, 1)
    return Announce(namespace, read_list(_read_signal_with_meta, data, at)[0])


def write_announce(message: Announce) -> bytes:
    """ANNOUNCE as bytes."""
    head = bytes((MessageType.ANNOUNCE,)) + text(message.namespace)
    return head + counted([write_signal(signal, with_meta=True) for signal in message.signals])


def read_result(data: bytes) -> Result:
    """RESULT: signals without meta."""
    return Result(read_list(_read_signal, data, 1)[0])


def write_result(message: Result) -> bytes:
    """RESULT as bytes."""
    signals = [write_signal(signal, with_meta=False) for signal in message.signals]
    return bytes((MessageType.RESULT,)) + counted(signals)


def read_query(data: bytes) -> Query:
    """QUERY: the pattern."""
    return Query(read_text(data, 1)[0])


def write_query(message: Query) -> bytes:
    """QUERY as bytes."""
    return bytes((MessageType.QUERY,)) + text(message.pattern)


def _read_signal(data: bytes, at: int) -> tuple[SignalDef, int]:
    signal, _, at = _read_signal_head(data, at)
    return signal, at


def _read_signal_with_meta(data: bytes, at: int) -> tuple[SignalDef, int]:
    signal, flags, at = _read_signal_head(data, at)
    if flags & _META:
        signal.meta, at = _read_meta(data, at)
    return signal, at


def _read_signal_head(data: bytes, at: int) -> tuple[SignalDef, int, int]:
    address, at = read_text(data, at)
    signal = SignalDef(address, signal_of(data[at]))
    flags = data[at + 1]
    at += 2
    if flags & _DATATYPE:
        signal.datatype, at = read_text(data, at)
    if flags & _ACCESS:
        signal.access, at = read_text(data, at)
    return signal, flags, at


def _read_meta(data: bytes, at: int) -> tuple[Meta, int]:
    flags = data[at]
    at += 1
    meta = Meta()
    if flags & _UNIT:
        meta.unit, at = read_text(data, at)
    if flags & _RANGE:
        meta.range = _RANGE_ENDS.unpack_from(data, at)
        at += _RANGE_ENDS.size
    if flags & _DEFAULT:
        meta.default, at = read_encoded(data, at)
    if flags & _DESCRIPTION:
        meta.description, at = read_text(data, at)
    return meta, at


def write_signal(signal: SignalDef, *, with_meta: bool) -> bytes:
    """One signal as it stands in ANNOUNCE (with meta) or in RESULT (without)."""
    flags, tail = 0, b""
    if signal.datatype is not None:
        flags |= _DATATYPE
        tail = text(signal.datatype)
    if signal.access is not None:
        flags |= _ACCESS
        tail += text(signal.access)
    if with_meta and signal.meta is not None:
        flags |= _META
        tail += _write_meta(signal.meta)
    return text(signal.address) + bytes((SignalType(signal.signal), flags)) + tail


def _write_meta(meta: Meta) -> bytes:
    flags, tail = 0, b""
    if meta.unit is not None:
        flags |= _UNIT
        tail = text(meta.unit)
    if meta.range is not None:
        flags |= _RANGE
        tail += _RANGE_ENDS.pack(*meta.range)
    if meta.default is not None:
        flags |= _DEFAULT
        tail += meta.default
    if meta.description is not None:
        flags |= _DESCRIPTION
        tail += text(meta.description)
    return bytes((flags,)) + tail


def read_federation_sync(data: bytes) -> FederationSync:
    """FEDERATION_SYNC: unlike elsewhere, an unassigned operation is refused."""
    code = data[1]
    if not 1 <= code <= len(FederationOp):
        raise WireError(f"federation operation {code} is not assigned")
    patterns, at = read_list(read_text, data, 2)
    revisions, at = read_list(_read_revision, data, at)
    message = FederationSync(FederationOp(code), patterns, dict(revisions))
    flags = data[at]
    at += 1
    if flags & _SINCE_REVISION:
        message.since_revision, at = read_u64(data, at)
    if flags & _ORIGIN:
        message.origin, at = read_text(data, at)
    return message


def _read_revision(data: bytes, at: int) -> tuple[tuple[str, int], int]:
    address, at = read_text(data, at)
    revision, at = read_u64(data, at)
    return (address, revision), at


def write_federation_sync(message: FederationSync) -> bytes:
    """FEDERATION_SYNC as bytes."""
    flags, tail = 0, b""
    if message.since_revision is not None:
        flags |= _SINCE_REVISION
        tail = u64(message.since_revision)
    if message.origin is not None:
        flags |= _ORIGIN
        tail += text(message.origin)
    return b"".join(
        (
            bytes((MessageType.FEDERATION_SYNC, FederationOp(message.op))),
            counted([text(pattern) for pattern in message.patterns]),
            counted([text(address) + u64(revision) for address, revision in message.revisions.items()]),
            bytes((flags,)),
            tail,
        )
    )
