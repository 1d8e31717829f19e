"""How the router tells the journal what happened: packets of what the core recorded. See also `feed_reading`.

    u32 entries | u32 introductions | introductions | items
    introduction:  u32 session number | u16 + author | u16 + client name
    item:          0x01 run: u64 now | u32 session number
                   0x02 entry of the journal's own kind: u32 size | entry as in ENTRIES
                   0x82 packed SET or PUBLISH, as it goes out to readers

Laws: a packet stands for itself, so that it can be sent again to a journal that has never seen another;
one packet is one append, all of it or nothing; adding costs next to nothing, because it happens in the
router for every message.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final

from clasp_journal.entry import EntryKind, JournalEntry
from router.core.session import Session
from router.wire.codec import encode_entry
from router.wire.layouts.writing import text

RUN: Final = 0x01
ENTRY: Final = 0x02
HEAD: Final = struct.Struct(">II")
RUN_HEAD: Final = struct.Struct(">BQI")
ENTRY_HEAD: Final = struct.Struct(">BI")
NUMBER: Final = struct.Struct(">I")

CLERKS_KINDS: Final = frozenset((EntryKind.MARK, EntryKind.FORGET, EntryKind.REMOVED))
"""Kinds that the journal's side writes itself. What comes through a feed is none of them, so that the two can
be told apart when packets have to be counted in a journal."""


class Feed:
    """The router's side: what was recorded since the last packet was taken. It grows until it is taken."""

    __slots__ = ("_heads", "_introduced", "_measured", "_now", "_parts", "_session", "_size_bytes")

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._parts: list[bytes] = []
        self._heads = 0
        self._introduced: dict[int, bytes] = {}
        self._session: Session | None = None
        self._now = -1
        self._measured = 0
        self._size_bytes = 0

    def add(self, session: Session, messages: Sequence[bytes], now: int) -> None:
        """Record SETs with their new revisions and effective TTLs, and PUBLISHes: each packed, without a
        timestamp in its frame, with a binary payload."""
        if now != self._now or session is not self._session:
            self._begin_run(session, now)
        self._parts += messages

    def add_entry(self, entry: JournalEntry) -> None:
        """Record an entry of the journal's own kind; `CLERKS_KINDS` are not the router's to write."""
        if entry.kind in CLERKS_KINDS:
            raise ValueError(f"{entry.kind.name} is written on the journal's side")
        encoded = encode_entry(entry)
        self._parts.append(ENTRY_HEAD.pack(ENTRY, len(encoded)) + encoded)

    def take(self) -> bytes | None:
        """The packet of everything since the last call; None if there is nothing."""
        if not self._parts:
            return None
        head = HEAD.pack(self.count, len(self._introduced))
        packet = b"".join((head, *self._introduced.values(), *self._parts))
        self._clear()
        return packet

    @property
    def count(self) -> int:
        """How many entries wait to be taken."""
        return len(self._parts) - self._heads

    @property
    def size_bytes(self) -> int:
        """How many bytes wait to be taken, about. Each is counted once, however often this is asked."""
        parts = self._parts
        if self._measured < len(parts):
            self._size_bytes += sum(map(len, parts[self._measured :]))
            self._measured = len(parts)
        return self._size_bytes

    def writers(self) -> Iterable[int]:
        """The numbers of the sessions from which something waits to be taken."""
        return self._introduced.keys()

    def _begin_run(self, session: Session, now: int) -> None:
        number = session.number
        if number not in self._introduced:
            names = text(session.author) + text(session.name)
            self._introduced[number] = NUMBER.pack(number) + names
        self._parts.append(RUN_HEAD.pack(RUN, now, number))
        self._heads += 1
        self._session = session
        self._now = now


def feed_count(packet: bytes) -> int:
    """How many entries a packet holds."""
    count: int = NUMBER.unpack_from(packet)[0]
    return count
