"""Entries as packed frames for a peer: plain, as the messages they once were, or as ENTRIES.

Laws: a plain frame has the entry's time in its header, carries no QoS and never an entry of the journal's own
kinds; an entry that does not fit into a frame (only an import can bring one in) is left out, and told.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from clasp_journal.entry import EntryKind, JournalEntry, Phase, SignalType
from clasp_journal.errors import BadInput
from clasp_journal.value import NULL
from router.wire.codec import encode, encode_entries, encode_entry, entries_head_bytes
from router.wire.frame import PAYLOAD_MAX_BYTES, encode_frame
from router.wire.history_messages import Entries
from router.wire.messages import Publish, Set
from router.wire.packing import pack

_COUNT_MAX = 0xFFFF


def plain_frame(entry: JournalEntry) -> bytes:
    """A SET with its revision, or a PUBLISH, as it is replayed; empty if it does not fit into a frame."""
    message: Set | Publish
    if entry.kind == EntryKind.SET:
        message = Set(entry.address, entry.encoded or NULL, entry.revision, ttl=entry.ttl)
    else:
        message = Publish(
            entry.address,
            SignalType.EVENT if entry.signal_type is None else entry.signal_type,
            entry.encoded,
            entry.samples,
            entry.sent,
            entry.gesture_id,
            Phase.START if entry.phase is None else entry.phase,
            entry.rate,
        )
    try:
        return pack(encode_frame(encode(message), timestamp=entry.timestamp))
    except BadInput:
        return b""


def entry_bytes(entry: JournalEntry, epoch: str) -> bytes:
    """An entry as it stands in ENTRIES; empty if it does not fit. The client's name goes first."""
    room_bytes = _room_bytes(epoch)
    try:
        encoded = encode_entry(entry)
        if len(encoded) > room_bytes:
            encoded = encode_entry(entry._replace(name=None))
    except BadInput:
        return b""
    return encoded if len(encoded) <= room_bytes else b""


@lru_cache(maxsize=1)
def _room_bytes(epoch: str) -> int:
    """What the payload of ENTRIES has room for."""
    return PAYLOAD_MAX_BYTES - entries_head_bytes(epoch)


def entries_frames(encoded: Iterable[bytes], head: Entries) -> bytes:
    """Packed ENTRIES, as many as it takes. Only the last says that the end is reached, only the first that
    something is missing; with no entries there is one frame if there is something to say."""
    room_bytes = _room_bytes(head.epoch)
    chunks: list[list[bytes]] = [[]]
    left = room_bytes
    for entry in encoded:
        if len(entry) > left or len(chunks[-1]) == _COUNT_MAX:
            chunks.append([])
            left = room_bytes
        chunks[-1].append(entry)
        left -= len(entry)
    if not chunks[-1] and not head.caught_up and not head.incomplete:
        return b""
    last = len(chunks) - 1
    return b"".join(
        pack(
            encode_frame(
                encode_entries(
                    Entries(
                        head.id,
                        head.epoch,
                        head.head,
                        caught_up=head.caught_up and at == last,
                        incomplete=head.incomplete and at == 0,
                    ),
                    chunk,
                )
            )
        )
        for at, chunk in enumerate(chunks)
    )
