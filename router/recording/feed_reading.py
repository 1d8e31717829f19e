"""The entries in a packet of the feed, for the journal's side.

Laws: entries are made one by one, when they are asked for, because that happens while they are written;
the bulk of them (SET with a revision, PUBLISH of a scalar or text) is taken apart by slices, the rest by
the wire's own decoder. Plain ones are known by what stands before their float: sizes, flags and address are
in there, so what begins alike is built alike. A packet is our own work: one that cannot be read is our
fault, and raises anything.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import TypeAlias

from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.short import Plain, ShortEntries, in_short
from clasp_journal.value import FIXED_SIZES
from router.recording.feed import (
    ENTRY,
    ENTRY_HEAD,
    HEAD,
    INTRODUCTION,
    INTRODUCTION_HEAD,
    RUN,
    RUN_HEAD,
)
from router.wire.codec import decode_binary
from router.wire.layouts.entries import read_entry
from router.wire.layouts.reading import read_optional_text, read_text
from router.wire.messages import MessageType, Publish, Set
from router.wire.packing import BINARY, MEDIUM_MARK, SHORT_MAX_BYTES

ADDRESSES_KEPT = 1 << 16
"""Addresses whose text is remembered between packets."""

_address_text = lru_cache(maxsize=ADDRESSES_KEPT)(bytes.decode)
_SET, _PUBLISH, _PARAM = EntryKind.SET, EntryKind.PUBLISH, SignalType.PARAM
_SIGNALS = tuple(SignalType(code) if code < len(SignalType) else SignalType.EVENT for code in range(8))
_TYPES = tuple(bytes((code,)) for code in range(16))
_SET_TYPE = int(MessageType.SET)
_REVISION_AND_TTL, _REVISION = 0x90, 0x80
_FLOAT, _FLOAT_AND_REVISION = struct.Struct(">d"), struct.Struct(">dQ")
_Run: TypeAlias = tuple[int, str, str | None]
"""Moment, author and name of the messages that follow."""
_heads: dict[bytes, tuple[str, int]] = {}
"""What stands before the float in frames that are plain, and the address and signal in there."""
_FIXED = len(FIXED_SIZES)
_COUNTED = (8, 9)
"""The value types whose data are a length and so many bytes."""


class FeedEntries(ShortEntries):
    """The entries of packets, in order."""

    def __init__(self, packets: Iterable[bytes]) -> None:
        self._packets = packets
        self.runs_read = 0
        """How far they have been read, in runs of one session's messages; it grows while they are written."""

    def short(self) -> Iterator[JournalEntry | Plain]:
        """See `ShortEntries`."""
        return chain.from_iterable(map(self._read, self._packets))

    def _read(self, packet: bytes) -> Iterator[JournalEntry | Plain]:
        sessions: dict[int, tuple[str, str | None]] = {}
        at, size_bytes = HEAD.size, len(packet)
        now, author, name = 0, "", None
        # Locals, and a tuple made without the constructor of its class: this loop is what the journal's
        # process does most of the time.
        new, plain, known_head = tuple.__new__, Plain, _heads.get
        float_at, float_and_revision_at = _FLOAT.unpack_from, _FLOAT_AND_REVISION.unpack_from
        while at < size_bytes:
            tag = packet[at]
            if tag == BINARY:
                start = at
                at += 2 + packet[at + 1]
                if known := known_head(packet[start : at - 16]):
                    value, revision = float_and_revision_at(packet, at - 16)
                elif known := known_head(packet[start : at - 8]):
                    (value,), revision = float_at(packet, at - 8), None
                if known and value == value:
                    address, signal = known
                    yield new(plain, (now, author, name, address, signal, value, revision))
                else:
                    entry, at = _read_frame(packet, start, (now, author, name))
                    yield entry
            elif tag == RUN:
                _, now, number = RUN_HEAD.unpack_from(packet, at)
                author, name = sessions[number]
                at += RUN_HEAD.size
                self.runs_read += 1
            elif tag == INTRODUCTION:
                _, number = INTRODUCTION_HEAD.unpack_from(packet, at)
                author, at = read_text(packet, at + INTRODUCTION_HEAD.size)
                name, at = read_optional_text(packet, at)
                sessions[number] = author, name
            elif tag == ENTRY:
                entry, at = read_entry(packet, at + ENTRY_HEAD.size)
                yield entry
            else:
                raise ValueError(f"no item begins with 0x{tag:02x}")


def read_feed(packet: bytes) -> FeedEntries:
    """The entries of one packet."""
    return FeedEntries((packet,))


def _read_frame(packet: bytes, start: int, run: _Run) -> tuple[JournalEntry, int]:
    """The entry of a packed message, and where it ends."""
    now, author, name = run
    body = start + 2
    end = body + packet[start + 1]
    if end - body > SHORT_MAX_BYTES:
        body, end = _long_frame(packet, body)
    payload = packet[body + 4 : end]
    if payload[0] != _SET_TYPE:
        entry = _read_publish(payload, now, author, name)
    elif payload[1] & _REVISION_AND_TTL == _REVISION:
        middle = 4 + (payload[2] << 8 | payload[3])
        address = _address_text(payload[4:middle])
        encoded = _TYPES[payload[1] & 0x0F] + payload[middle:-8]
        revision = int.from_bytes(payload[-8:])
        # fmt: off
        entry = tuple.__new__(
            JournalEntry,
            (now, author, address, _SET, _PARAM, encoded, revision, 0,
             None, None, None, None, None, None, name, None),
        )
        # fmt: on
    else:
        entry = _read_set(payload, now, author, name)
    _remember_if_plain(packet[start:end], entry)
    return entry, end


def _remember_if_plain(frame: bytes, entry: JournalEntry) -> None:
    """Know the next frame that is the same up to a float, and a revision if there is one."""
    short = in_short(entry)
    if short is None or entry.encoded is None or len(frame) > 2 + SHORT_MAX_BYTES:
        return
    varying = entry.encoded[1:] + (b"" if short.revision is None else frame[-8:])
    if frame.endswith(varying):
        if len(_heads) >= ADDRESSES_KEPT:
            _heads.clear()
        _heads[frame[: -len(varying)]] = short.address, short.signal


def _long_frame(packet: bytes, start: int) -> tuple[int, int]:
    """Where a frame that needs a wider length begins and ends; `start` is behind the short length."""
    body = start + (2 if packet[start - 1] == MEDIUM_MARK else 8)
    return body, body + int.from_bytes(packet[start:body])


def _read_set(payload: bytes, now: int, author: str, name: str | None) -> JournalEntry:
    message = decode_binary(payload)
    assert isinstance(message, Set)
    entry = JournalEntry(now, author, message.address, _SET, _PARAM, message.encoded, message.revision)
    return entry._replace(ttl=message.ttl, name=name)


def _read_publish(payload: bytes, now: int, author: str, name: str | None) -> JournalEntry:
    at = 5 + (payload[2] << 8 | payload[3])
    if _ends_plainly(payload, at):
        address = _address_text(payload[4 : at - 1])
        # fmt: off
        return tuple.__new__(
            JournalEntry,
            (now, author, address, _PUBLISH, _SIGNALS[payload[1] >> 5], payload[at:] or None, None, 0,
             None, None, None, None, None, None, name, None),
        )
        # fmt: on
    message = decode_binary(payload)
    assert isinstance(message, Publish)
    return JournalEntry(
        now,
        author,
        message.address,
        _PUBLISH,
        message.signal,
        message.encoded,
        samples=message.samples,
        rate=message.rate,
        gesture_id=message.gesture_id,
        phase=message.phase if message.signal == SignalType.GESTURE or message.phase else None,
        sent=message.timestamp,
        name=name,
    )


def _ends_plainly(payload: bytes, at: int) -> bool:
    """Whether a PUBLISH with a value at `at` is no gesture and has at most a scalar, text or bytes."""
    flags = payload[1]
    if flags & 0x1F or flags >> 5 == SignalType.GESTURE:
        return False
    if payload[at - 1] != 1:
        return payload[at - 1] == 0 and at == len(payload)
    kind = payload[at]
    if kind < _FIXED:
        return at + 1 + FIXED_SIZES[kind] == len(payload)
    return kind in _COUNTED and at + 3 + (payload[at + 1] << 8 | payload[at + 2]) == len(payload)
