"""History in pages, made on the journal's side from whatever journal there is.

Laws: a page is bounded in entries and in bytes, and so is what is read to make it; pages asked for one after
the other (`PageRequest.following`) hold each matching entry once, in order; who is answered less than there
was is told so (`incomplete`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from clasp_journal.entry import JournalEntry, SignalType
from clasp_journal.journal import Journal
from clasp_journal.selection import MESSAGES, Selection
from router.recording.gaps import Gaps
from router.recording.history_frames import entries_frames, entry_bytes, plain_frame
from router.recording.pattern_sets import Without, pattern_of
from router.recording.requests import (
    HISTORY_BYTES,
    PAGE_BYTES,
    PAGE_ENTRIES,
    HistoryRequest,
    Page,
    PageRequest,
)
from router.wire.history_messages import Entries
from router.wire.masks import ALL_TYPES, signals_of_mask

_FIRST_READ = 100
"""Entries read before it is known how large they are."""
_TIME_MAX_US = (1 << 63) - 1
_BLOCK_ENTRIES = 2_000
"""Entries that one step back through the past reads."""


def _within_reach(time_us: int | None) -> int | None:
    """The wire counts to 2**64, journals need only go to half of that, which is the year 294247."""
    return None if time_us is None else min(time_us, _TIME_MAX_US)


def _types_of(mask: int) -> frozenset[SignalType] | None:
    types = signals_of_mask(mask)
    return None if mask == ALL_TYPES or len(types) == len(SignalType) else types


def selection_of(request: PageRequest) -> Selection:
    """What a request asks for, in the journal's words."""
    return Selection(
        pattern_of(request.patterns),
        _within_reach(request.from_us),
        _within_reach(request.to_us),
        _types_of(request.type_mask),
        request.author,
        None if request.journal_kinds and request.entries_id is not None else MESSAGES,
    )


class _Begin(NamedTuple):
    """Where a page begins, and what is known there."""

    after_seq: int
    upto_seq: int
    head: int
    is_lost: bool
    """Whether what the asker knows of is not this life of the journal."""
    limit: int | None
    """How many from there on. The newest are all from there on: what is gone among them is missing."""
    found: list[JournalEntry] | None
    """All that is asked for, if that is few of the newest: they are found from the end, and there already."""


async def make_page(journal: Journal, request: PageRequest, gaps: Gaps) -> Page:
    """Answer a request with what is there now."""
    selection = selection_of(request)
    begin = await _begin(journal, request, selection)
    read = await _read(journal, request, selection, begin)
    entries = len(read.frames)
    done = read.last_seq >= begin.upto_seq or (begin.limit is not None and entries >= begin.limit)
    # Asked last: what is removed while it is read may be missing from it.
    is_cut = begin.after_seq < begin.upto_seq and await _is_cut(journal, begin.after_seq, request.from_us)
    is_holed = not all(read.frames) or await gaps.touch(selection, begin.after_seq, read.last_seq)
    incomplete = begin.is_lost or is_cut or is_holed
    blob = b"".join(read.frames)
    if request.entries_id is not None:
        head = Entries(request.entries_id, journal.epoch, begin.head, [], done, incomplete)
        blob = entries_frames(list(filter(None, read.frames)), head)
    return Page(
        blob,
        entries,
        read.last_sent,
        last_seq=read.last_seq,
        upto_seq=begin.upto_seq,
        head=begin.head,
        epoch=journal.epoch,
        done=done,
        incomplete=incomplete,
    )


class _Read(NamedTuple):
    """The entries of a page."""

    frames: list[bytes]
    """A frame each; empty where an entry does not fit into one."""
    last_sent: int
    """The number of the last of them; 0 if there is none."""
    last_seq: int
    """Everything up to this number was looked at."""


async def _read(journal: Journal, request: PageRequest, selection: Selection, begin: _Begin) -> _Read:
    """Read entries from the begin on, until the page is full or nothing is left."""
    wanted = PAGE_ENTRIES if begin.limit is None else min(begin.limit, PAGE_ENTRIES)
    frames: list[bytes] = []
    size_bytes = last_sent = 0
    last_seq, exhausted = begin.after_seq, begin.after_seq >= begin.upto_seq
    while not exhausted and len(frames) < wanted and size_bytes < PAGE_BYTES:
        if begin.found is None:
            count = min(wanted - len(frames), PAGE_ENTRIES if frames else _FIRST_READ)
            found = await journal.page(selection, last_seq, begin.upto_seq, count)
            exhausted = len(found) < count
        else:
            found, exhausted = begin.found, True
        for entry in found:
            frame = _encoded(entry, request, journal.epoch)
            frames.append(frame)
            size_bytes += len(frame)
            last_seq = last_sent = entry.seq
            if size_bytes >= PAGE_BYTES:
                exhausted = exhausted and entry is found[-1]
                break
    if exhausted:
        last_seq = max(last_seq, begin.upto_seq)
    return _Read(frames, last_sent, last_seq)


async def _begin(journal: Journal, request: PageRequest, selection: Selection) -> _Begin:
    head = await journal.latest_seq()
    after, upto = request.after_seq, head if request.upto_seq is None else min(request.upto_seq, head)
    # Nobody has seen a number of this life that it has not given.
    is_lost = request.epoch is not None and (request.epoch != journal.epoch or after > head)
    if is_lost:
        after = min(after, head)
    found = None
    if request.newest and request.limit is not None and after < upto:
        if request.limit == 0:
            after = upto
        elif request.limit <= _FIRST_READ:
            found = await journal.newest(selection, request.limit, after_seq=after, upto_seq=upto)
            if len(found) == request.limit:
                after = found[0].seq - 1
        else:
            after = await journal.nth_newest(selection, request.limit, after_seq=after, upto_seq=upto) - 1
    return _Begin(after, upto, head, is_lost, None if request.newest else request.limit, found)


async def _is_cut(journal: Journal, after_seq: int, from_us: int | None) -> bool:
    """Whether entries behind `after_seq` are gone that could have been asked for."""
    oldest = await journal.oldest_seq()
    if after_seq + 1 >= oldest:
        return False
    gone_upto_us = await journal.gone_upto_us()
    return from_us is None or gone_upto_us is None or gone_upto_us >= from_us


def _encoded(entry: JournalEntry, request: PageRequest, epoch: str) -> bytes:
    return plain_frame(entry) if request.entries_id is None else entry_bytes(entry, epoch)


async def make_history(journal: Journal, request: HistoryRequest, begun_after: int = 0) -> Page:
    """The newest entries of each matching address, as one page of plain frames; the newest win in all.

    It goes back block by block. An address that has all it may have is no longer asked for, so that
    one that changes all the time does not stand before one that changed once, long ago. The present life
    of the journal began after the entry `begun_after`.
    """
    head = upto = await journal.latest_seq()
    gathered = _Gathered(request, begun_after)
    pattern = pattern_of(request.patterns)
    types = _types_of(request.type_mask)
    while upto > 0 and not gathered.is_full:
        asked = Without(pattern, gathered.finished) if gathered.finished else pattern
        selection = Selection(asked, types=types, kinds=MESSAGES)
        begin = await journal.nth_newest(selection, _BLOCK_ENTRIES, after_seq=0, upto_seq=upto)
        for entry in reversed(await journal.page(selection, begin - 1, upto, _BLOCK_ENTRIES)):
            gathered.add(entry)
        upto = begin - 1
    frames = gathered.frames[::-1]
    return Page(
        b"".join(frames),
        len(frames),
        gathered.newest_seq,
        last_seq=head,
        upto_seq=head,
        head=head,
        epoch=journal.epoch,
        done=True,
        incomplete=False,
    )


class _Gathered:
    """The history of a subscription as it grows, newest first."""

    def __init__(self, request: HistoryRequest, begun_after: int) -> None:
        self._request = request
        self._begun_after = begun_after
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._left_bytes = HISTORY_BYTES
        self.frames: list[bytes] = []
        self.finished: set[str] = set()
        self.newest_seq = 0
        self.is_full = request.in_all < 1 or request.per_address < 1

    def add(self, entry: JournalEntry) -> None:
        if self.is_full or entry.address in self.finished or self._came_later(entry):
            return
        frame = plain_frame(entry)
        self._left_bytes -= len(frame)
        if self._left_bytes < 0:
            self.is_full = True
            return
        self.frames.append(frame)
        self.newest_seq = self.newest_seq or entry.seq
        self.is_full = len(self.frames) >= self._request.in_all
        self._counts[entry.address] += 1
        if self._counts[entry.address] >= self._request.per_address:
            self.finished.add(entry.address)

    def _came_later(self, entry: JournalEntry) -> bool:
        """Whether the subscription was there already, and is told by itself."""
        upto_us = self._request.upto_us
        return upto_us is not None and entry.timestamp > upto_us and entry.seq > self._begun_after
