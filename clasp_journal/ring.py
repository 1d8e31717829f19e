"""The ring under the journal in memory: entries by number, and the numbers of each address in order.

Laws: never more than `capacity` entries nor `size_max_bytes`; too much goes oldest first; numbers are given
once; an `extend` that fails has changed nothing. One step of a walk looks at a bounded number of entries.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from heapq import merge

from clasp_journal.address import Pattern
from clasp_journal.entry import JournalEntry
from clasp_journal.selection import EVERYTHING, Selection

ENTRY_OVERHEAD_BYTES = 384
"""What an entry takes beside its texts and blobs, about."""
STEP_ENTRIES = 2_000
"""Entries looked at in one step of a walk."""
ADDRESS_COST = 8
"""Finding the place in the order of one more address costs as much as looking at so many entries."""
PATTERNS_KEPT = 64
"""Patterns whose addresses are remembered until an address comes or goes."""

_SEQ = JournalEntry._fields.index("seq")


class Ring:
    """The newest entries, within bounds."""

    def __init__(self, capacity: int, size_max_bytes: int) -> None:
        self.capacity = capacity
        self.size_max_bytes = size_max_bytes
        self.oldest = 1
        self.latest = 0
        self.gone_upto_us: int | None = None
        """The highest time of those that are gone."""
        self._size_bytes = 0
        self._entries: dict[int, JournalEntry] = {}
        self._orders: dict[str, _Order] = {}
        self._stepped_back = 0
        self._resolved: dict[Pattern, frozenset[str]] = {}

    def extend(self, entries: Iterable[JournalEntry]) -> None:
        """Number these and keep them. While the iterable runs, nothing of it is there."""
        staged: deque[JournalEntry] = deque()
        size_bytes, seq, passed_us = 0, self.latest, -sys.maxsize
        for entry in entries:
            seq += 1
            staged.append(JournalEntry._make((*entry[:_SEQ], seq, *entry[_SEQ + 1 :])))
            size_bytes += _size_bytes(entry)
            while len(staged) > self.capacity or size_bytes > self.size_max_bytes:
                gone = staged.popleft()
                size_bytes -= _size_bytes(gone)
                passed_us = max(passed_us, gone.timestamp)
        kept_from = staged[0].seq if staged else seq + 1
        if kept_from > self.latest + 1:
            self.drop_before(self.latest + 1)
            self.oldest = kept_from
            self._note_gone(passed_us)
        self.latest = seq
        for entry in staged:
            self._put(entry)

    def drop_before(self, seq: int) -> None:
        """Forget the entries with lower numbers."""
        while self.oldest < seq and self.oldest <= self.latest:
            self._drop_oldest()

    def replace(self, replaced: Mapping[int, JournalEntry]) -> None:
        """Put entries without an address in the places of others; those that are gone stay so."""
        moved: dict[str, set[int]] = {}
        for seq, entry in replaced.items():
            before = self._entries.get(seq)
            if before is None:
                continue
            self._entries[seq] = entry
            self._size_bytes += _size_bytes(entry) - _size_bytes(before)
            moved.setdefault(before.address, set()).add(seq)
        # All that were moved now belong to the order of no address.
        nowhere = set().union(*moved.values())
        moved.setdefault("", set())
        for address, seqs in moved.items():
            order = self._orders.pop(address, None) or _Order()
            order.become(sorted(nowhere.union(order)) if not address else [s for s in order if s not in seqs])
            if len(order):
                self._orders[address] = order
        self._resolved.clear()

    def step(
        self, selection: Selection, after_seq: int, upto_seq: int, wanted: int, *, newest_first: bool = False
    ) -> tuple[list[JournalEntry], int]:
        """Look for up to `wanted` matching entries, but not for long.

        Returns what was found, in the order of the walk, and the number at which it stands: the last
        one looked at, or the end of the range if nothing is left there.
        """
        low, high = max(after_seq + 1, self.oldest), min(upto_seq, self.latest)
        low, high = self._narrow(selection, low, high)
        seqs, is_wanted = self._choose(selection, range(low, high + 1), wanted, newest_first)
        found: list[JournalEntry] = []
        for looked, seq in enumerate(seqs, start=1):
            entry = self._entries[seq]
            if is_wanted(entry):
                found.append(entry)
            if len(found) >= wanted or looked >= STEP_ENTRIES:
                return found, seq
        return found, after_seq + 1 if newest_first else upto_seq

    def _narrow(self, selection: Selection, low: int, high: int) -> tuple[int, int]:
        """The part of a range that can lie within the time bounds. Where time steps back, all of it."""
        if self._stepped_back > low:
            return low, high
        seqs = range(low, high + 1)
        begin, end = 0, len(seqs)
        if selection.from_us is not None:
            begin = bisect_left(seqs, selection.from_us, key=self._timestamp)
        if selection.to_us is not None:
            end = bisect_right(seqs, selection.to_us, key=self._timestamp)
        return low + begin, low + end - 1

    def _timestamp(self, seq: int) -> int:
        return self._entries[seq].timestamp

    def _choose(
        self, selection: Selection, span: range, wanted: int, newest_first: bool
    ) -> tuple[Iterable[int], Callable[[JournalEntry], bool]]:
        """Where to look, by the cheaper of two ways, and what is left to ask of an entry found there."""
        everywhere = reversed(span) if newest_first else span
        if selection.pattern == EVERYTHING:
            return everywhere, selection.matches
        narrower = replace(selection, pattern=EVERYTHING).matches
        addresses = self._resolve(selection)
        if not addresses:
            return (), narrower
        orders = [self._orders[address] for address in addresses]
        share = sum(len(order) for order in orders) / len(self._entries)
        if len(orders) == 1 or len(orders) * ADDRESS_COST < min(len(span), wanted / share):
            walks = [order.walk(span, newest_first) for order in orders]
            return merge(*walks, reverse=newest_first), narrower
        return everywhere, lambda entry: entry.address in addresses and narrower(entry)

    def _resolve(self, selection: Selection) -> frozenset[str]:
        """The addresses with entries that the pattern matches."""
        pattern = selection.pattern
        if pattern.is_literal:
            return frozenset((pattern.text,)) if pattern.text in self._orders else frozenset()
        known = self._resolved.get(pattern)
        if known is None:
            if len(self._resolved) >= PATTERNS_KEPT:
                self._resolved.clear()
            begins = pattern.prefix
            known = frozenset(
                a for a in self._orders if a.startswith(begins) and selection.matches_address(a)
            )
            self._resolved[pattern] = known
        return known

    def _put(self, entry: JournalEntry) -> None:
        size_bytes = _size_bytes(entry)
        while len(self._entries) >= self.capacity or self._size_bytes + size_bytes > self.size_max_bytes:
            self._drop_oldest()
        before = self._entries.get(entry.seq - 1)
        if before and entry.timestamp < before.timestamp:
            self._stepped_back = entry.seq
        order = self._orders.get(entry.address)
        if order is None:
            order = self._orders[entry.address] = _Order()
            self._resolved.clear()
        order.push(entry.seq)
        self._entries[entry.seq] = entry
        self._size_bytes += size_bytes

    def _drop_oldest(self) -> None:
        entry = self._entries.pop(self.oldest)
        self.oldest += 1
        self._size_bytes -= _size_bytes(entry)
        self._note_gone(entry.timestamp)
        order = self._orders[entry.address]
        order.drop_oldest()
        if not len(order):
            del self._orders[entry.address]
            self._resolved.clear()

    def _note_gone(self, at_us: int) -> None:
        if self.gone_upto_us is None or at_us > self.gone_upto_us:
            self.gone_upto_us = at_us


class _Order:
    """The numbers of one address, ascending. Dropping the oldest costs nothing on average."""

    __slots__ = ("_gone", "_seqs")

    def __init__(self) -> None:
        self._seqs: list[int] = []
        self._gone = 0

    def __len__(self) -> int:
        return len(self._seqs) - self._gone

    def __iter__(self) -> Iterator[int]:
        return iter(self._seqs[self._gone :])

    def become(self, seqs: list[int]) -> None:
        """Hold these, in ascending order, and no others."""
        self._seqs, self._gone = seqs, 0

    def push(self, seq: int) -> None:
        self._seqs.append(seq)

    def drop_oldest(self) -> None:
        self._gone += 1
        if self._gone * 2 > len(self._seqs):
            del self._seqs[: self._gone]
            self._gone = 0

    def walk(self, span: range, newest_first: bool) -> Iterator[int]:
        """Those within the span, ascending or descending. Nothing may change while it is walked."""
        begin = bisect_left(self._seqs, span.start, lo=self._gone)
        end = bisect_left(self._seqs, span.stop, lo=begin)
        places = range(begin, end)
        return (self._seqs[place] for place in (reversed(places) if newest_first else places))


def _size_bytes(entry: JournalEntry) -> int:
    texts = _text_bytes(entry.address) + _text_bytes(entry.author) + _text_bytes(entry.name or "")
    blobs = len(entry.encoded or b"") + len(entry.samples or b"") + len(entry.details or b"")
    return ENTRY_OVERHEAD_BYTES + texts + blobs


def _text_bytes(text: str) -> int:
    """What Python takes for a text, at most: its widest letter decides for all."""
    return len(text) if text.isascii() else 4 * len(text)
