"""REPLAY with its extension, ENTRIES, JOURNAL_DO and JOURNAL_DONE."""

from __future__ import annotations

import struct

from clasp_journal.errors import BadInput
from clasp_journal.value import ValueType, skip
from router.wire.codes import WireError
from router.wire.history_messages import (
    EXTENSION_VERSION,
    Entries,
    JournalDo,
    JournalDone,
    Replay,
    ReplayExtension,
)
from router.wire.layouts.entries import read_entry, write_entry
from router.wire.layouts.reading import read_list, read_text, read_u32, read_u64
from router.wire.layouts.writing import counted, text, u32, u64
from router.wire.messages import MessageType

_FROM, _TO, _LIMIT = 0x80, 0x40, 0x20
_AFTER, _AS_ENTRIES, _FOLLOW, _JOURNAL_KINDS, _NEWEST, _AUTHOR = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04
_CAUGHT_UP, _INCOMPLETE = 0x01, 0x02

_EXTENSION = struct.Struct(">BBI")
_ENTRIES = struct.Struct(">BBBI")
_DO = struct.Struct(">BBI")
_DONE = struct.Struct(">BBIB")
JOURNAL_DONE_HEAD_BYTES = _DONE.size - 1
"""What JOURNAL_DONE takes beside its encoded map, the type of which is not sent."""
_MAP = bytes((ValueType.MAP,))


def read_replay(data: bytes) -> Replay:
    """REPLAY: whatever follows the type mask is the extension."""
    flags = data[1]
    pattern, at = read_text(data, 2)
    message = Replay(pattern)
    if flags & _FROM:
        message.from_us, at = read_u64(data, at)
    if flags & _TO:
        message.to_us, at = read_u64(data, at)
    if flags & _LIMIT:
        message.limit, at = read_u32(data, at)
    message.type_mask = data[at]
    at += 1
    if at < len(data):
        message.extension = _read_extension(data, at)
    return message


def _read_extension(data: bytes, at: int) -> ReplayExtension:
    if data[at] != EXTENSION_VERSION:
        return ReplayExtension(version=data[at])
    version, flags, request = _EXTENSION.unpack_from(data, at)
    at += _EXTENSION.size
    extension = ReplayExtension(
        request,
        version,
        as_entries=flags & _AS_ENTRIES != 0,
        follow=flags & _FOLLOW != 0,
        journal_kinds=flags & _JOURNAL_KINDS != 0,
        newest=flags & _NEWEST != 0,
    )
    if flags & _AFTER:
        extension.after_seq, at = read_u64(data, at)
        extension.epoch, at = read_text(data, at)
    if flags & _AUTHOR:
        extension.author, at = read_text(data, at)
    return extension


def write_replay(message: Replay) -> bytes:
    """REPLAY as bytes."""
    flags, tail = 0, b""
    if message.from_us is not None:
        flags |= _FROM
        tail = u64(message.from_us)
    if message.to_us is not None:
        flags |= _TO
        tail += u64(message.to_us)
    if message.limit is not None:
        flags |= _LIMIT
        tail += u32(message.limit)
    tail += struct.pack(">B", message.type_mask)
    if message.extension is not None:
        tail += _write_extension(message.extension)
    return bytes((MessageType.REPLAY, flags)) + text(message.pattern) + tail


def _write_extension(extension: ReplayExtension) -> bytes:
    if extension.version != EXTENSION_VERSION:
        return struct.pack(">B", extension.version)
    flags, tail = 0, b""
    if extension.as_entries:
        flags |= _AS_ENTRIES
    if extension.follow:
        flags |= _FOLLOW
    if extension.journal_kinds:
        flags |= _JOURNAL_KINDS
    if extension.newest:
        flags |= _NEWEST
    if extension.after_seq is not None:
        flags |= _AFTER
        tail = u64(extension.after_seq) + text(extension.epoch or "")
    if extension.author is not None:
        flags |= _AUTHOR
        tail += text(extension.author)
    return _EXTENSION.pack(EXTENSION_VERSION, flags, extension.id) + tail


def read_entries(data: bytes) -> Entries:
    """ENTRIES: of another version nothing can be understood, so it is refused."""
    _, version, flags, request = _ENTRIES.unpack_from(data)
    if version != EXTENSION_VERSION:
        raise WireError(f"ENTRIES of version {version}")
    epoch, at = read_text(data, _ENTRIES.size)
    head, at = read_u64(data, at)
    entries, at = read_list(read_entry, data, at)
    return Entries(request, epoch, head, entries, flags & _CAUGHT_UP != 0, flags & _INCOMPLETE != 0)


def write_entries(message: Entries) -> bytes:
    """ENTRIES as bytes."""
    return join_entries(message, [write_entry(entry) for entry in message.entries])


def join_entries(message: Entries, written: list[bytes]) -> bytes:
    """ENTRIES as bytes, from entries that are bytes already; `message.entries` is not looked at."""
    flags = (_CAUGHT_UP if message.caught_up else 0) | (_INCOMPLETE if message.incomplete else 0)
    head = _ENTRIES.pack(MessageType.ENTRIES, EXTENSION_VERSION, flags, message.id)
    return head + text(message.epoch) + u64(message.head) + counted(written)


def read_journal_do(data: bytes) -> JournalDo:
    """JOURNAL_DO: of another version only that version is read."""
    if data[1] != EXTENSION_VERSION:
        return JournalDo(0, "", version=data[1])
    _, version, request = _DO.unpack_from(data)
    verb, at = read_text(data, _DO.size)
    return JournalDo(request, verb, _read_map(data, at), version)


def write_journal_do(message: JournalDo) -> bytes:
    """JOURNAL_DO as bytes."""
    head = _DO.pack(MessageType.JOURNAL_DO, message.version, message.id)
    return head + text(message.verb) + _map_data(message.encoded)


def read_journal_done(data: bytes) -> JournalDone:
    """JOURNAL_DONE: of another version nothing can be understood, so it is refused."""
    _, version, request, status = _DONE.unpack_from(data)
    if version != EXTENSION_VERSION:
        raise WireError(f"JOURNAL_DONE of version {version}")
    return JournalDone(request, status, _read_map(data, _DONE.size), version)


def write_journal_done(message: JournalDone) -> bytes:
    """JOURNAL_DONE as bytes."""
    head = _DONE.pack(MessageType.JOURNAL_DONE, message.version, message.id, message.status)
    return head + _map_data(message.encoded)


def _read_map(data: bytes, at: int) -> bytes:
    """A map whose type needs no byte on the wire, given back as an encoded value."""
    return _MAP + data[at : skip(ValueType.MAP, data, at)]


def _map_data(encoded: bytes) -> bytes:
    if encoded[:1] != _MAP:
        raise BadInput("only a map can be sent here")
    return encoded[1:]
