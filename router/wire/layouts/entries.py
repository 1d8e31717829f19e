"""One journal entry inside ENTRIES: every field of it, so that nothing is lost between two journals.

    u64 seq | u64 timestamp | u8 kind | u8 signal, 0xFF none | str author | str address | u8 opt
    then as `opt` says: encoded value | u16 count + f64s | u64 revision | map

The map holds what a SET or PUBLISH carries beyond its value (`sent id phase rate ttl name`), and the
details of the journal's own kinds beside them, key by key. Details with a key of that name, and
details without any key, travel whole under `details`.
"""

from __future__ import annotations

import struct

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry, Phase, SignalType
from clasp_journal.errors import BadInput
from clasp_journal.value import ValueType, skip
from router.wire.codes import WireError
from router.wire.layouts.reading import (
    phase_of,
    read_encoded,
    read_samples,
    read_text,
    read_u16,
    read_u64,
    signal_of,
)
from router.wire.layouts.writing import samples, text, u16, u64

_VALUE, _SAMPLES, _REVISION, _EXTRA = 0x01, 0x02, 0x04, 0x08
_NO_SIGNAL = 0xFF
_U32_LIMIT = 1 << 32
_U64_LIMIT = 1 << 64
_I64_LIMIT = 1 << 63

_HEAD = struct.Struct(">QQBB")
_MAP = bytes((ValueType.MAP,))
_KINDS = {int(kind): kind for kind in EntryKind}

_DETAILS = "details"
_OWN_KEYS = frozenset(("sent", "id", "phase", "rate", "ttl", "name", _DETAILS))


def read_entry(data: bytes, at: int) -> tuple[JournalEntry, int]:
    """One entry, and the offset behind it."""
    seq, timestamp, code, signal = _HEAD.unpack_from(data, at)
    kind = _KINDS.get(code)
    if kind is None:
        raise WireError(f"entry of unknown kind 0x{code:02x}")
    author, at = read_text(data, at + _HEAD.size)
    address, at = read_text(data, at)
    opt = data[at]
    at += 1
    encoded = block = revision = None
    if opt & _VALUE:
        encoded, at = read_encoded(data, at)
    if opt & _SAMPLES:
        block, at = read_samples(data, at)
    if opt & _REVISION:
        revision, at = read_u64(data, at)
    entry = JournalEntry(
        timestamp,
        author,
        address,
        kind,
        None if signal == _NO_SIGNAL else signal_of(signal),
        encoded,
        revision,
        seq,
        samples=block,
    )
    return _read_extra(entry, data, at) if opt & _EXTRA else (entry, at)


def _read_extra(entry: JournalEntry, data: bytes, at: int) -> tuple[JournalEntry, int]:
    count, at = read_u16(data, at)
    own: dict[str, bytes] = {}
    others = []
    for _ in range(count):
        start = at
        key, middle = read_text(data, start)
        at = skip(data[middle], data, middle + 1, 1)
        if key in _OWN_KEYS:
            own[key] = data[middle:at]
        else:
            others.append(data[start:at])
    details = own.get(_DETAILS)
    if details is not None and details[:1] != _MAP:
        raise WireError("the details of an entry are no map")
    if others and details is None:
        details = _MAP + u16(len(others)) + b"".join(others)
    sent = _integer(own, "sent", -_I64_LIMIT, _I64_LIMIT)
    phase = _integer(own, "phase", 0, _U32_LIMIT)
    return (
        entry._replace(
            sent=None if sent is None else sent % _U64_LIMIT,
            gesture_id=_integer(own, "id", 0, _U32_LIMIT),
            phase=None if phase is None else phase_of(phase),
            rate=_integer(own, "rate", 0, _U32_LIMIT),
            ttl=_integer(own, "ttl", 0, _U32_LIMIT),
            name=_name(own),
            details=details,
        ),
        at,
    )


def _integer(own: dict[str, bytes], key: str, least: int, limit: int) -> int | None:
    encoded = own.get(key)
    if encoded is None:
        return None
    number = values.decode(encoded)
    if type(number) is not int or not least <= number < limit:
        raise WireError(f"`{key}` of an entry is {number!r}")
    return number


def _name(own: dict[str, bytes]) -> str | None:
    encoded = own.get("name")
    if encoded is None:
        return None
    name = values.decode(encoded)
    if not isinstance(name, str):
        raise WireError("the name in an entry is no text")
    return name


def write_entry(entry: JournalEntry) -> bytes:
    """One entry as bytes."""
    opt, tail = 0, b""
    if entry.encoded is not None:
        opt |= _VALUE
        tail = entry.encoded
    if entry.samples is not None:
        opt |= _SAMPLES
        tail += samples(entry.samples)
    if entry.revision is not None:
        opt |= _REVISION
        tail += u64(entry.revision)
    extra = _write_extra(entry)
    if extra:
        opt |= _EXTRA
        tail += extra
    signal = _NO_SIGNAL if entry.signal_type is None else SignalType(entry.signal_type)
    head = _HEAD.pack(entry.seq, entry.timestamp, EntryKind(entry.kind), signal)
    return head + text(entry.author) + text(entry.address) + bytes((opt,)) + tail


def _write_extra(entry: JournalEntry) -> bytes:
    pairs = []
    if entry.sent is not None:
        pairs.append(_pair("sent", _wrapped(entry.sent)))
    if entry.gesture_id is not None:
        pairs.append(_pair("id", _word("gesture id", entry.gesture_id)))
    if entry.phase is not None:
        pairs.append(_pair("phase", int(Phase(entry.phase))))
    if entry.rate is not None:
        pairs.append(_pair("rate", _word("rate", entry.rate)))
    if entry.ttl is not None:
        pairs.append(_pair("ttl", _word("TTL", entry.ttl)))
    if entry.name is not None:
        pairs.append(_pair("name", entry.name))
    count = len(pairs)
    if entry.details is not None:
        loose = _loose_count(entry.details)
        count += loose or 1
        pairs.append(entry.details[3:] if loose else text(_DETAILS) + entry.details)
    return u16(count) + b"".join(pairs) if count else b""


def _wrapped(sent: int) -> int:
    """A u64 in the 64 bits of a CLASP integer: its upper half wraps around."""
    if not 0 <= sent < _U64_LIMIT:
        raise BadInput(f"timestamp {sent} does not fit into 64 bits")
    return sent - _U64_LIMIT if sent >= _I64_LIMIT else sent


def _word(what: str, number: int) -> int:
    if not 0 <= number < _U32_LIMIT:
        raise BadInput(f"{what} {number} does not fit into 32 bits")
    return number


def _pair(key: str, value: values.Value) -> bytes:
    return text(key) + values.encode(value)


def _loose_count(details: bytes) -> int:
    """How many keys of the details can stand beside the entry's own; 0 if they have to travel whole."""
    if details[:1] != _MAP:
        raise BadInput("the details of an entry are no map")
    count, at = read_u16(details, 1)
    for _ in range(count):
        key, at = read_text(details, at)
        if key in _OWN_KEYS:
            return 0
        at = skip(details[at], details, at + 1, 1)
    return count
