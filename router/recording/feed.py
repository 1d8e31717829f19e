"""How the router tells the journal what happened: packets of what the core recorded. See also `feed_reading`.

    u32 entries | items
    item:  0x01 run: u64 now | u32 session number
           0x02 entry of the journal's own kind: u32 size | entry as in ENTRIES
           0x03 introduction, before the first run: u32 session number | u16 + author | u16 + client name
           0x82 packed SET or PUBLISH, as it goes out to readers

Laws: a packet stands for itself, so that it can be sent again to a journal that has never seen another;
one packet is one append, all of it or nothing; some in a row can be made one. Adding costs next to nothing,
because readers wait for it; the packet is made when they have got what was recorded.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from typing import Final

from clasp_journal.entry import EntryKind, JournalEntry
from router.core.session import Session
from router.wire.codec import encode_entry
from router.wire.layouts.writing import text

RUN: Final = 0x01
ENTRY: Final = 0x02
INTRODUCTION: Final = 0x03
HEAD: Final = struct.Struct(">I")
RUN_HEAD: Final = struct.Struct(">BQI")
ENTRY_HEAD: Final = struct.Struct(">BI")
INTRODUCTION_HEAD: Final = struct.Struct(">BI")

CLERKS_KINDS: Final = frozenset((EntryKind.MARK, EntryKind.FORGET, EntryKind.REMOVED))
"""Kinds that the journal's side writes itself. What comes through a feed is none of them, so that the two can
be told apart when packets have to be counted in a journal."""


class Feed:
    """The router's side: what was recorded since the last packet was taken. It grows until it is taken."""

    __slots__ = ("_recorded", "writers")

    def __init__(self) -> None:
        self._recorded: list[tuple[Session, Sequence[bytes], int] | bytes] = []
        """Messages of a session, or a whole item."""
        self.writers: Collection[int] = ()
        """The numbers of the sessions that wrote what was taken last."""

    def add(self, session: Session, messages: Sequence[bytes], now: int) -> None:
        """Record SETs with their new revisions and effective TTLs, and PUBLISHes: each packed, without a
        timestamp in its frame, with a binary payload."""
        self._recorded.append((session, messages, now))

    def add_entry(self, entry: JournalEntry) -> None:
        """Record an entry of the journal's own kind; `CLERKS_KINDS` are not the router's to write."""
        if entry.kind in CLERKS_KINDS:
            raise ValueError(f"{entry.kind.name} is written on the journal's side")
        encoded = encode_entry(entry)
        self._recorded.append(ENTRY_HEAD.pack(ENTRY, len(encoded)) + encoded)

    def take(self) -> bytes | None:
        """The packet of everything since the last call; None if there is nothing."""
        if not self._recorded:
            return None
        recorded, self._recorded = self._recorded, []
        items: list[bytes] = []
        entries = 0
        writers: set[int] = set()
        writer: Session | None = None
        at_us = -1
        for one in recorded:
            if isinstance(one, bytes):
                items.append(one)
                entries += 1
                continue
            session, messages, now = one
            if session is not writer or now != at_us:
                writer, at_us = session, now
                if session.number not in writers:
                    writers.add(session.number)
                    items.append(_introduction(session))
                items.append(RUN_HEAD.pack(RUN, now, session.number))
            items += messages
            entries += len(messages)
        self.writers = writers
        return HEAD.pack(entries) + b"".join(items)


def feed_count(packet: bytes) -> int:
    """How many entries a packet holds."""
    count: int = HEAD.unpack_from(packet)[0]
    return count


def join_packets(packets: Sequence[bytes]) -> bytes:
    """Packets in a row as one."""
    if len(packets) == 1:
        return packets[0]
    head = HEAD.pack(sum(map(feed_count, packets)))
    return head + b"".join([packet[HEAD.size :] for packet in packets])


def _introduction(session: Session) -> bytes:
    head = INTRODUCTION_HEAD.pack(INTRODUCTION, session.number)
    return head + text(session.author) + text(session.name)
