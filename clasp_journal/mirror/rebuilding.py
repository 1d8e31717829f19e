"""A journal brought back from its mirror.

Laws: what is missing is inserted, what is there already and the same is skipped, and the first entry that
differs, or line that is broken, fails everything with nothing written; all of it is one transaction;
doing it again changes nothing. What was removed on purpose stays removed (blanks stand for what was
forgotten), and the state after it is folded from the lines, if the mirror has all of them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol, runtime_checkable

from clasp_journal.errors import BadValue, HistoryIncomplete, JournalCorrupt, JournalError, JournalUnavailable
from clasp_journal.forgetting import blank, blank_of, told_by
from clasp_journal.journal import Journal, Results
from clasp_journal.mirror.agreement import parity
from clasp_journal.mirror.comparing import Body, Parity
from clasp_journal.mirror.ending import find_end
from clasp_journal.mirror.lines import body_of, entry_of_body
from clasp_journal.mirror.removals import read_removals
from clasp_journal.mirror.trouble import telling
from clasp_journal.mirror.walking import Break, Walk
from clasp_journal.restore import State
from clasp_journal.selection import FORGOTTEN

REPORT_EVERY_ENTRIES = 5_000


class DifferingEntry(JournalError):
    """Both sides have another entry under one number; nothing was written."""

    def __init__(self, seq: int, here: bytes, there: bytes) -> None:
        reason = f"entry {seq} differs: digest {here.hex()} in the journal, {there.hex()} in the mirror"
        super().__init__(f"{reason}; nothing was written", operation="rebuild")
        self.seq = seq
        self.digest_in_journal = here
        self.digest_in_mirror = there


class BrokenMirror(JournalCorrupt):
    """A line of the mirror is broken; nothing was written."""

    def __init__(self, broken: Break) -> None:
        reason = f"line {broken.line}: {broken.reason}; nothing was written"
        super().__init__(reason, path=broken.file, operation="rebuild", first_bad_seq=broken.seq)
        self.broken = broken


class Origin(NamedTuple):
    """Where entries come back from."""

    file: str
    epoch: str
    latest_seq: int
    """The highest number that was given there, even if that entry is removed."""


class Inserted(NamedTuple):
    """What the journal did with the entries that it was given."""

    inserted: int
    identical: int
    epoch: str


class Report(NamedTuple):
    """What a rebuild has done."""

    inserted: int
    identical: int
    removed: int
    """Entries that stay removed."""
    epoch: str
    """Of the journal, afterwards."""
    has_base: bool
    """Whether the state right before the first entry can be told, and that right before the last act of
    forgetting."""
    parity: Parity


@runtime_checkable
class Rebuildable(Protocol):
    """What a journal needs to be rebuilt."""

    async def insert_missing(self, bodies: Iterable[Body], origin: Origin) -> Inserted:
        """Insert entries under their numbers, in one transaction; `DifferingEntry` if a number is taken by
        another entry."""


async def rebuild(
    journal: Journal, file: str | os.PathLike[str], *, on_progress: Callable[[int], None] | None = None
) -> Report:
    """Insert what only the mirror has. The journal is open to be written, and its mirror is not."""
    if not isinstance(journal, Rebuildable):
        raise JournalUnavailable(f"{type(journal).__name__} cannot be rebuilt", operation="rebuild")
    path = os.fspath(file)
    returning = await asyncio.to_thread(_Return, path, on_progress)
    inserted = await journal.insert_missing(returning.bodies(), returning.origin)
    has_base = await _keep_base(journal, path)
    return Report(
        inserted.inserted,
        inserted.identical,
        returning.removed,
        inserted.epoch,
        has_base,
        await parity(journal, path),
    )


class _Return:
    """The entries of a mirror on their way back; read in the journal's thread."""

    def __init__(self, path: str, on_progress: Callable[[int], None] | None) -> None:
        """See where the mirror ends, and what was removed."""
        with telling(path, "rebuild"):
            end = find_end(path)
            self._removals = read_removals(path)
        if end is None:
            raise JournalUnavailable("there is no such mirror", path=path, operation="rebuild")
        if end.broken is not None:
            raise _first_break(path, end.broken)
        self.origin = Origin(path, end.at.epoch, end.at.seq)
        self.removed = 0
        self._path = path
        self._on_progress = on_progress

    def bodies(self) -> Iterator[Body]:
        """Every entry, checked, or a blank for a forgotten one; `BrokenMirror` at a line that is broken."""
        walk, removals, last_body = Walk(self._path), self._removals, b""
        is_whole = removals.is_empty
        for seq, body, *_ in walk:
            if not seq:
                continue
            if seq > self.origin.latest_seq:
                # From here on it is a torn append, which never counted.
                break
            if self._on_progress is not None and seq % REPORT_EVERY_ENTRIES == 0:
                self._on_progress(REPORT_EVERY_ENTRIES)
            if not (is_whole and body) and removals.cover(seq, body):
                self.removed += 1
                if seq >= removals.before_seq:
                    at_us = entry_of_body(last_body).timestamp if last_body else 0
                    stands = blank_of(entry_of_body(body)) if body else blank(seq, at_us)
                    yield seq, body_of(stands, seq).encode()
                continue
            last_body = body
            yield seq, body
        if walk.broken is not None:
            raise BrokenMirror(walk.broken)


def _first_break(path: str, known: Break) -> BrokenMirror:
    """The first line that is broken, where one near the end is known to be."""
    walk = Walk(path)
    for _ in walk:
        # The walk checks each line that it reads.
        continue
    return BrokenMirror(walk.broken or known)


def unreadable(file: str, seq: int, fault: Exception) -> JournalCorrupt:
    """What is said of a line that follows, but tells of no entry."""
    return JournalCorrupt(
        f"entry {seq} cannot be read: {fault}", path=file, operation="rebuild", first_bad_seq=seq
    )


async def _keep_base(journal: Journal, path: str) -> bool:
    """See to it that there is a snapshot right before the first entry; False if nothing tells that state."""
    base_seq = await journal.oldest_seq() - 1
    if base_seq:
        kept = await journal.load_snapshot(base_seq)
        if (kept is None or kept.at_seq != base_seq) and not await _keep_folded(journal, path, base_seq):
            return False
    return await _carry_over_forgotten(journal, path)


async def _carry_over_forgotten(journal: Journal, path: str) -> bool:
    """The same for the state right before the last act of forgetting, which entries do not tell."""
    act_seq = 0
    async for page in Results(journal, FORGOTTEN).pages():
        act_seq = max([act_seq, *(entry.seq for entry in page if told_by(entry))])
    if not act_seq:
        return True
    try:
        await journal.state(act_seq - 1)
    except HistoryIncomplete:
        return await _keep_folded(journal, path, act_seq - 1, lasting=True)
    return True


async def _keep_folded(journal: Journal, path: str, at_seq: int, *, lasting: bool = False) -> bool:
    """Keep a state that all lines up to there amount to; False if one of them is not there."""
    state = await asyncio.to_thread(_state_after, path, at_seq)
    if state is None:
        return False
    floor = state.revision_floor
    await journal.snapshot(state.params(), at_seq, revision_floor=floor, lasting=lasting)
    return True


def _state_after(path: str, seq: int) -> State | None:
    """The fold of all lines up to an entry; None if one of them is not there."""
    state = State()
    expected = 1
    for line in Walk(path):
        if line.seq:
            if line.seq != expected or not line.body:
                return None
            try:
                state.apply(entry_of_body(line.body))
            except BadValue as fault:
                raise unreadable(path, line.seq, fault) from fault
            expected += 1
            if line.seq == seq:
                return state
    return None
