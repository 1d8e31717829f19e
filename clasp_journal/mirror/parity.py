"""Whether a journal and its mirror have the same entries.

Laws: both are read once, side by side, in pages, so memory stays flat; entries are compared as the text
of their lines; what was removed on purpose is not missing. The chain is not checked here: that is
`verify_chain`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, Protocol, runtime_checkable

from clasp_journal.entry import JournalEntry
from clasp_journal.journal import Journal
from clasp_journal.mirror.chain import MORE, TAIL_BYTES, digest_of
from clasp_journal.mirror.ending import find_end
from clasp_journal.mirror.lines import body_of
from clasp_journal.mirror.removals import Removals, is_blank, read_removals
from clasp_journal.mirror.segments import all_segments, open_segment
from clasp_journal.mirror.writing import telling
from clasp_journal.selection import Selection

PAGE_ENTRIES = 5_000
NAMED_MAX = 1_000
"""How many entries, or ranges of them, are named; all are counted."""

_FORGOTTEN = b',"digest":"'


class Range(NamedTuple):
    """Entries from one number to another, both included."""

    first: int
    last: int


class Difference(NamedTuple):
    """One number, two entries."""

    seq: int
    digest_in_journal: str
    digest_in_mirror: str


@dataclass
class Numbers:
    """A count, and which numbers, as ranges."""

    count: int = 0
    ranges: list[Range] = field(default_factory=list)

    def add(self, seq: int) -> None:
        """One more, higher than all before."""
        self.count += 1
        if self.ranges and self.ranges[-1].last == seq - 1:
            self.ranges[-1] = Range(self.ranges[-1].first, seq)
        elif len(self.ranges) < NAMED_MAX:
            self.ranges.append(Range(seq, seq))

    @property
    def first(self) -> int | None:
        """The first of them."""
        return self.ranges[0].first if self.ranges else None


class Parity(NamedTuple):
    """What was found on both sides."""

    in_journal: int
    in_mirror: int
    missing_in_journal: Numbers
    missing_in_mirror: Numbers
    differing: list[Difference]
    differing_count: int
    removed: int
    """Entries that only the mirror has, and that were removed from the journal on purpose."""
    disorder: str
    """What keeps the mirror from being compared to its end, if anything does."""

    @property
    def is_consistent(self) -> bool:
        """Whether both sides have the same entries."""
        return not (
            self.missing_in_journal.count
            or self.missing_in_mirror.count
            or self.differing_count
            or self.disorder
        )

    @property
    def first_seq(self) -> int | None:
        """The first entry that is not the same on both sides."""
        firsts = [self.missing_in_journal.first, self.missing_in_mirror.first]
        firsts += [difference.seq for difference in self.differing[:1]]
        return min((first for first in firsts if first is not None), default=None)


class _Line(NamedTuple):
    seq: int
    body: bytes
    digest: bytes
    """Only where the body was forgotten."""


async def parity(
    journal: Journal, file: str | os.PathLike[str], *, on_progress: Callable[[int], None] | None = None
) -> Parity:
    """Compare a journal with its mirror, up to where both end now."""
    path = os.fspath(file)
    latest_seq = await journal.latest_seq()
    comparison = await asyncio.to_thread(_Comparison.prepare, path)
    lines = comparison.lines()
    page: list[_Line] = []
    async for entries in _pages(journal, latest_seq):
        upto_seq = entries[-1].seq
        page = await asyncio.to_thread(comparison.compare, entries, page, lines, upto_seq)
        if on_progress is not None:
            on_progress(len(entries))
    await asyncio.to_thread(comparison.compare, [], page, lines, None)
    return comparison.found()


@runtime_checkable
class Holey(Protocol):
    """A journal that can be read although entries are missing from it."""

    async def page_with_holes(self, after_seq: int, upto_seq: int, limit: int) -> list[JournalEntry]:
        """Up to `limit` entries with `after_seq < seq <= upto_seq`, as far as they are there."""


async def _pages(journal: Journal, latest_seq: int) -> AsyncIterator[list[JournalEntry]]:
    after_seq = 0
    while True:
        if isinstance(journal, Holey):
            page = await journal.page_with_holes(after_seq, latest_seq, PAGE_ENTRIES)
        else:
            page = await journal.page(Selection(), after_seq, latest_seq, PAGE_ENTRIES)
        if not page:
            return
        yield page
        after_seq = page[-1].seq


class _Comparison:
    """One comparison under way."""

    def __init__(self, path: str, removals: Removals, upto_seq: int | None) -> None:
        self._path = path
        self._removals = removals
        self._upto_seq = upto_seq
        self._in_journal = self._in_mirror = self._differing_count = self._removed = 0
        self._missing_in_journal, self._missing_in_mirror = Numbers(), Numbers()
        self._differing: list[Difference] = []
        self._disorder = ""

    @classmethod
    def prepare(cls, path: str) -> _Comparison:
        """See where the mirror ends, and what was removed."""
        with telling(path, "compare"):
            end = find_end(path)
            upto_seq = None if end is None or end.broken is not None else end.at.seq
            if end is None:
                raise FileNotFoundError(2, "there is no such mirror", path)
            return cls(path, read_removals(path), upto_seq)

    def lines(self) -> Iterator[_Line]:
        """The entries of the mirror; ends early where they are not in order, and notes it."""
        last = 0
        with telling(self._path, "compare"):
            for file in all_segments(self._path):
                with open_segment(file) as raws:
                    for number, raw in enumerate(raws, 1):
                        if not raw.startswith(b'{"seq":'):
                            continue
                        line = _line_of(raw)
                        if self._upto_seq is not None and line.seq > self._upto_seq:
                            return
                        if line.seq <= last:
                            self._disorder = f"{file}, line {number}: it is no entry, or not in order"
                            return
                        last = line.seq
                        yield line

    def compare(
        self, entries: list[JournalEntry], waiting: list[_Line], lines: Iterator[_Line], upto_seq: int | None
    ) -> list[_Line]:
        """Compare a page of entries with the lines up to its end (None: all); returns those beyond."""
        at = 0
        while True:
            if not waiting:
                waiting = list(islice(lines, PAGE_ENTRIES))
                if not waiting:
                    break
            if upto_seq is not None and waiting[0].seq > upto_seq:
                break
            used = 0
            for line in waiting:
                if upto_seq is not None and line.seq > upto_seq:
                    break
                used += 1
                while at < len(entries) and entries[at].seq < line.seq:
                    self._missing_in_mirror.add(entries[at].seq)
                    at += 1
                if at < len(entries) and entries[at].seq == line.seq:
                    self._compare_one(entries[at], line)
                    at += 1
                else:
                    self._note_missing(line)
            self._in_mirror += used
            waiting = waiting[used:]
        for entry in entries[at:]:
            self._missing_in_mirror.add(entry.seq)
        self._in_journal += len(entries)
        return waiting

    def _compare_one(self, entry: JournalEntry, line: _Line) -> None:
        body = body_of(entry, entry.seq).encode()
        if body == line.body:
            return
        if is_blank(entry) and self._removals.cover(line.seq, line.body):
            self._removed += 1
            return
        here, there = digest_of(body), line.digest or digest_of(line.body)
        if here != there:
            self._differing_count += 1
            if len(self._differing) < NAMED_MAX:
                self._differing.append(Difference(entry.seq, here.hex(), there.hex()))

    def _note_missing(self, line: _Line) -> None:
        if self._removals.cover(line.seq, line.body):
            self._removed += 1
        else:
            self._missing_in_journal.add(line.seq)

    def found(self) -> Parity:
        """What it came to."""
        return Parity(
            self._in_journal,
            self._in_mirror,
            self._missing_in_journal,
            self._missing_in_mirror,
            self._differing,
            self._differing_count,
            self._removed,
            self._disorder,
        )


def _line_of(raw: bytes) -> _Line:
    body = raw[:-TAIL_BYTES]
    if body.endswith(MORE):
        body = body[: -len(MORE)]
    try:
        seq = int(raw[7 : raw.index(b",", 7)])
        at = body.find(_FORGOTTEN, 7, 48)
        if at >= 0:
            return _Line(seq, b"", bytes.fromhex(body[at + len(_FORGOTTEN) : -1].decode()))
    except ValueError:
        # It is not in any order, then.
        return _Line(0, b"", b"")
    return _Line(seq, body, b"")
