"""SET, PUBLISH, GET and SNAPSHOT: values on their way. The first two are the bulk of all traffic."""

from __future__ import annotations

import struct

from clasp_journal.entry import ParamSnapshot, Phase, SignalType
from clasp_journal.errors import BadInput
from clasp_journal.value import FIXED_SIZES, skip
from router.wire.codes import WireError
from router.wire.layouts.reading import (
    phase_of,
    read_encoded,
    read_list,
    read_samples,
    read_text,
    read_u32,
    read_u64,
    signal_of,
)
from router.wire.layouts.writing import counted, samples, text, u32, u64
from router.wire.messages import Get, MessageType, Publish, Set, Snapshot

SET_REVISION, SET_LOCK, SET_UNLOCK, SET_TTL = 0x80, 0x40, 0x20, 0x10
SET_KIND = 0x0F
PUBLISH_TIMESTAMP, PUBLISH_ID, PUBLISH_PHASE = 0x10, 0x08, 0x07
SIGNAL_SHIFT = 5
HAS_VALUE, HAS_SAMPLES = 1, 2

_PARAM_WRITER, _PARAM_TIMESTAMP = 0x01, 0x02
_FIXED = len(FIXED_SIZES)
_unpack_set_head = struct.Struct(">BBH").unpack_from
KINDS = tuple(bytes((kind,)) for kind in range(16))
"""The type byte of each value type."""


def read_set(data: bytes) -> Set:
    """SET: the value's type byte sits in the flags, its data behind the address."""
    _, flags, size = _unpack_set_head(data)
    start = 4 + size
    kind = flags & SET_KIND
    if kind < _FIXED:
        end = start + FIXED_SIZES[kind]
        if end > len(data):
            raise WireError("SET cut off")
    else:
        end = skip(kind, data, start)
    message = Set(data[4:start].decode(), KINDS[kind] + data[start:end])
    if flags > SET_KIND:
        message.lock = flags & SET_LOCK != 0
        message.unlock = flags & SET_UNLOCK != 0
        if flags & SET_REVISION:
            message.revision, end = read_u64(data, end)
        if flags & SET_TTL:
            message.ttl, end = read_u32(data, end)
    return message


def write_set(message: Set) -> bytes:
    """SET as bytes."""
    encoded = message.encoded
    flags = encoded[0]
    if flags > SET_KIND:
        raise BadInput(f"value type 0x{flags:02x} is not assigned")
    tail = encoded[1:]
    if message.lock:
        flags |= SET_LOCK
    if message.unlock:
        flags |= SET_UNLOCK
    if message.revision is not None:
        flags |= SET_REVISION
        tail += u64(message.revision)
    if message.ttl is not None:
        flags |= SET_TTL
        tail += u32(message.ttl)
    return bytes((MessageType.SET, flags)) + text(message.address) + tail


def read_publish(data: bytes) -> Publish:
    """PUBLISH: `rate` has no flag, it is there if four bytes are left."""
    flags = data[1]
    address, at = read_text(data, 2)
    message = Publish(address, signal_of(flags >> SIGNAL_SHIFT))
    if flags & PUBLISH_PHASE:
        message.phase = phase_of(flags & PUBLISH_PHASE)
    indicator = data[at]
    at += 1
    if indicator == HAS_VALUE:
        message.encoded, at = read_encoded(data, at)
    elif indicator == HAS_SAMPLES:
        message.samples, at = read_samples(data, at)
    if flags & PUBLISH_TIMESTAMP:
        message.timestamp, at = read_u64(data, at)
    if flags & PUBLISH_ID:
        message.gesture_id, at = read_u32(data, at)
    if at + 4 <= len(data):
        message.rate, at = read_u32(data, at)
    return message


def write_publish(message: Publish) -> bytes:
    """PUBLISH as bytes; a phase is only written where it differs from START."""
    flags = SignalType(message.signal) << SIGNAL_SHIFT | Phase(message.phase)
    if message.encoded is not None:
        body = b"\x01" + message.encoded
    elif message.samples is not None:
        body = b"\x02" + samples(message.samples)
    else:
        body = b"\x00"
    if message.timestamp is not None:
        flags |= PUBLISH_TIMESTAMP
        body += u64(message.timestamp)
    if message.gesture_id is not None:
        flags |= PUBLISH_ID
        body += u32(message.gesture_id)
    if message.rate is not None:
        body += u32(message.rate)
    return bytes((MessageType.PUBLISH, flags)) + text(message.address) + body


def read_get(data: bytes) -> Get:
    """GET: the address."""
    return Get(read_text(data, 1)[0])


def write_get(message: Get) -> bytes:
    """GET as bytes."""
    return bytes((MessageType.GET,)) + text(message.address)


def read_snapshot(data: bytes) -> Snapshot:
    """SNAPSHOT: a counted list of params."""
    return Snapshot(read_list(read_param, data, 1)[0])


def write_snapshot(message: Snapshot) -> bytes:
    """SNAPSHOT as bytes."""
    return bytes((MessageType.SNAPSHOT,)) + counted([write_param(param) for param in message.params])


def read_param(data: bytes, at: int) -> tuple[ParamSnapshot, int]:
    """One param of a SNAPSHOT."""
    address, at = read_text(data, at)
    encoded, at = read_encoded(data, at)
    revision, at = read_u64(data, at)
    flags = data[at]
    at += 1
    writer, timestamp = "", 0
    if flags & _PARAM_WRITER:
        writer, at = read_text(data, at)
    if flags & _PARAM_TIMESTAMP:
        timestamp, at = read_u64(data, at)
    return ParamSnapshot(address, encoded, revision, writer, timestamp), at


def write_param(param: ParamSnapshot) -> bytes:
    """One param as it stands in a SNAPSHOT; a tombstone has no place there."""
    if param.encoded is None:
        raise BadInput(f"{param.address} has no value that a SNAPSHOT could carry")
    flags, tail = 0, b""
    if param.writer:
        flags |= _PARAM_WRITER
        tail = text(param.writer)
    if param.timestamp:
        flags |= _PARAM_TIMESTAMP
        tail += u64(param.timestamp)
    return text(param.address) + param.encoded + u64(param.revision) + bytes((flags,)) + tail
