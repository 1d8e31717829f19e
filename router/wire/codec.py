"""Payload to message and back: the one door to the wire.

Laws: any bytes give a message or `WireError` (101), never anything else; a bundle holds at most
`BUNDLE_DEPTH_MAX` levels of bundles; what is inside a binary bundle is binary; the grammar of addresses
and patterns is nobody's business here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import BadInput
from router.wire import legacy
from router.wire.codes import WireError
from router.wire.fast import plain_set
from router.wire.frame import PAYLOAD_MAX_BYTES, decode_frame
from router.wire.layouts import entries, history, params, sessions, signals, writing
from router.wire.layouts.reading import FAULTS, read_u16, read_u64
from router.wire.messages import (
    BUNDLE_DEPTH_MAX,
    Ack,
    Announce,
    Bundle,
    Entries,
    Error,
    FederationSync,
    Get,
    Hello,
    JournalDo,
    JournalDone,
    Message,
    MessageType,
    Ping,
    Pong,
    Publish,
    Query,
    Replay,
    Result,
    Set,
    Snapshot,
    Subscribe,
    Sync,
    Unsubscribe,
    Welcome,
)

_BUNDLE_TIMESTAMP = 0x80

_READERS: dict[int, Callable[[bytes], Message]] = {
    MessageType.HELLO: sessions.read_hello,
    MessageType.WELCOME: sessions.read_welcome,
    MessageType.ANNOUNCE: signals.read_announce,
    MessageType.FEDERATION_SYNC: signals.read_federation_sync,
    MessageType.SUBSCRIBE: sessions.read_subscribe,
    MessageType.UNSUBSCRIBE: sessions.read_unsubscribe,
    MessageType.PUBLISH: params.read_publish,
    MessageType.SET: params.read_set,
    MessageType.GET: params.read_get,
    MessageType.SNAPSHOT: params.read_snapshot,
    MessageType.REPLAY: history.read_replay,
    MessageType.ENTRIES: history.read_entries,
    MessageType.JOURNAL_DO: history.read_journal_do,
    MessageType.JOURNAL_DONE: history.read_journal_done,
    MessageType.SYNC: sessions.read_sync,
    MessageType.PING: sessions.read_ping,
    MessageType.PONG: sessions.read_pong,
    MessageType.ACK: sessions.read_ack,
    MessageType.ERROR: sessions.read_error,
    MessageType.QUERY: signals.read_query,
    MessageType.RESULT: signals.read_result,
}

_WRITERS: dict[type[Any], Callable[[Any], bytes]] = {
    Hello: sessions.write_hello,
    Welcome: sessions.write_welcome,
    Announce: signals.write_announce,
    FederationSync: signals.write_federation_sync,
    Subscribe: sessions.write_subscribe,
    Unsubscribe: sessions.write_unsubscribe,
    Publish: params.write_publish,
    Set: params.write_set,
    Get: params.write_get,
    Snapshot: params.write_snapshot,
    Replay: history.write_replay,
    Entries: history.write_entries,
    JournalDo: history.write_journal_do,
    JournalDone: history.write_journal_done,
    Sync: sessions.write_sync,
    Ping: sessions.write_ping,
    Pong: sessions.write_pong,
    Ack: sessions.write_ack,
    Error: sessions.write_error,
    Query: signals.write_query,
    Result: signals.write_result,
}


def _read_bundle(data: bytes, depth: int = 1) -> Bundle:
    if depth > BUNDLE_DEPTH_MAX:
        raise WireError(f"bundle nested deeper than {BUNDLE_DEPTH_MAX}")
    count, at = read_u16(data, 2)
    message = Bundle()
    if data[1] & _BUNDLE_TIMESTAMP:
        message.timestamp, at = read_u64(data, at)
    for _ in range(count):
        size_bytes, at = read_u16(data, at)
        inner = data[at : at + size_bytes]
        at += size_bytes
        if at > len(data):
            raise WireError("bundle cut off")
        message.messages.append(_read_inner(inner, depth))
    return message


def _read_inner(payload: bytes, depth: int) -> Message:
    if payload[0] == MessageType.BUNDLE:
        return _read_bundle(payload, depth + 1)
    return _BINARY_DOORS[payload[0]](payload)


def _refuse(payload: bytes) -> Message:
    raise WireError(f"message type 0x{payload[0]:02x} is not assigned")


_READERS[MessageType.BUNDLE] = _read_bundle
_BINARY_DOORS = tuple(_READERS.get(kind, _refuse) for kind in range(256))
_DOORS = tuple(
    legacy.decode if legacy.is_legacy(kind) else reader for kind, reader in enumerate(_BINARY_DOORS)
)
"""Who reads a payload, by its first byte."""


def decode(payload: bytes) -> Message:
    """The message of a payload; a MessagePack map is known by its first byte."""
    try:
        return _DOORS[payload[0]](payload)
    except FAULTS as fault:
        raise WireError(_in_words(payload, fault)) from None


def decode_binary(payload: bytes) -> Message:
    """The message of a binary payload."""
    try:
        return _BINARY_DOORS[payload[0]](payload)
    except FAULTS as fault:
        raise WireError(_in_words(payload, fault)) from None


def decode_framed(data: bytes) -> tuple[Message, int, int | None]:
    """The message of a whole frame, the frame's flags and its timestamp.

    The same as `decode_frame` and `decode`, with a short way for a plain SET.
    """
    plain = plain_set(data)
    if plain is not None:
        address, kind, content = plain
        try:
            return Set(address.decode(), params.KINDS[kind] + content), data[1], None
        except UnicodeDecodeError:
            raise WireError("SET: text is not valid UTF-8") from None
    frame = decode_frame(data)
    return decode(frame.payload), frame.flags, frame.timestamp


def _in_words(payload: bytes, fault: Exception) -> str:
    if not payload:
        return "payload is empty"
    name = MessageType(payload[0]).name
    if isinstance(fault, BadInput):
        return f"{name}: {fault}"
    if isinstance(fault, UnicodeDecodeError):
        return f"{name}: text is not valid UTF-8"
    return f"{name} cut off"


def encode(message: Message) -> bytes:
    """The binary payload of a message; `BadInput` if it does not fit into one."""
    try:
        payload = _write(message, 0)
    except writing.FAULTS as fault:
        raise BadInput(f"{type(message).__name__} does not fit: {fault}") from None
    if len(payload) > PAYLOAD_MAX_BYTES:
        name = type(message).__name__
        raise BadInput(f"{name} of {len(payload)} bytes; a payload carries {PAYLOAD_MAX_BYTES}")
    return payload


def _write(message: Message, depth: int) -> bytes:
    if isinstance(message, Bundle):
        return _write_bundle(message, depth + 1)
    return _WRITERS[type(message)](message)


def _write_bundle(message: Bundle, depth: int) -> bytes:
    if depth > BUNDLE_DEPTH_MAX:
        raise BadInput(f"bundle nested deeper than {BUNDLE_DEPTH_MAX}")
    parts = []
    for inner in message.messages:
        payload = _write(inner, depth)
        if len(payload) > PAYLOAD_MAX_BYTES:
            raise BadInput(f"bundle part of {len(payload)} bytes; {PAYLOAD_MAX_BYTES} fit")
        parts.append(writing.u16(len(payload)) + payload)
    body = writing.counted(parts)
    if message.timestamp is None:
        return bytes((MessageType.BUNDLE, 0)) + body
    head = bytes((MessageType.BUNDLE, _BUNDLE_TIMESTAMP))
    return head + body[:2] + writing.u64(message.timestamp) + body[2:]


def encode_entry(entry: JournalEntry) -> bytes:
    """One entry as it stands in ENTRIES; its length is what it adds to the payload."""
    try:
        return entries.write_entry(entry)
    except writing.FAULTS as fault:
        raise BadInput(f"entry of {entry.address} does not fit: {fault}") from None


def encode_entries(message: Entries, encoded_entries: list[bytes]) -> bytes:
    """ENTRIES made of entries that `encode_entry` has encoded; `message.entries` is not looked at."""
    payload = history.join_entries(message, encoded_entries)
    if len(payload) > PAYLOAD_MAX_BYTES:
        raise BadInput(f"ENTRIES of {len(payload)} bytes; a payload carries {PAYLOAD_MAX_BYTES}")
    return payload


def entries_head_bytes(epoch: str) -> int:
    """How many bytes an ENTRIES payload has before its first entry."""
    return len(history.join_entries(Entries(0, epoch, 0), []))
