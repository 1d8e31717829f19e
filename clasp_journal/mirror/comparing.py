"""The entries of a journal beside the lines of its mirror, as the journal's pages come.

Law: a line that is the very text of the entry, followed by a seal, is the same entry; only the others
are looked at more closely.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from clasp_journal.errors import JournalUnavailable
from clasp_journal.mirror.chain import MORE, TAIL_BYTES, digest_of
from clasp_journal.mirror.ending import find_end
from clasp_journal.mirror.lines import entry_of_body
from clasp_journal.mirror.removals import read_removals
from clasp_journal.mirror.segments import all_segments, open_segment
from clasp_journal.mirror.trouble import telling

NAMED_MAX = 1_000
"""How many entries, or ranges of them, are named; all are counted."""

_FORGOTTEN = b',"digest":"'


class Range(NamedTuple):
    """Entries from one number to another, both included."""

    first: int
    last: int


class Difference(NamedTuple):
    """A number under which both sides have an entry, and not the same."""

    seq: int
    digest_in_journal: str
    digest_in_mirror: str


@dataclass
class Numbers:
    """A count, and which numbers, as ranges."""

    count: int = 0
    ranges: list[Range] = field(default_factory=list)

    def add(self, seq: int) -> None:
        """Add a number, which is higher than all before."""
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


Body = tuple[int, bytes]
"""An entry of the journal: its number, and the text of its line."""


class _Line(NamedTuple):
    seq: int
    body: bytes
    digest: bytes
    """Only where the body was forgotten."""


class Comparison:
    """One comparison under way."""

    def __init__(self, path: str) -> None:
        """See where the mirror ends, and what was removed."""
        self._path = path
        with telling(path, "compare"):
            end = find_end(path)
            self._removals = read_removals(path)
        if end is None:
            raise JournalUnavailable("there is no such mirror", path=path, operation="compare")
        self._end_seq = end.at.seq if end.broken is None else 1 << 62
        self._raws = self._lines()
        self._held: _Line | None = None
        """A line whose entry has not come yet."""
        self._last_seq = 0
        self._in_journal = self._in_mirror = self._differing_count = self._removed = 0
        self._missing_in_journal, self._missing_in_mirror = Numbers(), Numbers()
        self._differing: list[Difference] = []
        self._disorder = ""

    def _lines(self) -> Iterator[bytes]:
        """The lines of the mirror that are entries."""
        with telling(self._path, "compare"):
            for file in all_segments(self._path):
                with open_segment(file) as raws:
                    for raw in raws:
                        if raw.startswith(b'{"seq":'):
                            yield raw

    def take(self, bodies: list[Body]) -> None:
        """Compare the next entries of the journal."""
        end_seq, same = self._end_seq, 0
        for seq, body in bodies:
            if self._held is None:
                raw = next(self._raws, None)
                if raw is not None and raw.startswith(body) and seq <= end_seq and _is_sealed(raw, len(body)):
                    self._last_seq = seq
                    same += 1
                    continue
                self._held = self._read(raw)
            self._compare(seq, body)
        self._in_journal += len(bodies)
        self._in_mirror += same

    def finish(self) -> Parity:
        """What it came to, now that the journal has no more."""
        while (line := self._held or self._read(next(self._raws, None))) is not None:
            self._note_missing(line)
            self._held = None
        self._raws = iter(())
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

    def _read(self, raw: bytes | None) -> _Line | None:
        """Look at a line more closely; None at the end, or where the lines are not in order."""
        line = None if raw is None else _line_of(raw)
        if line is not None and line.seq <= self._last_seq:
            self._disorder = f"a line behind entry {self._last_seq} is no entry, or not in order"
        elif line is not None and line.seq <= self._end_seq:
            self._last_seq = line.seq
            self._in_mirror += 1
            return line
        self._raws = iter(())
        return None

    def _compare(self, seq: int, body: bytes) -> None:
        while self._held is not None and self._held.seq < seq:
            self._note_missing(self._held)
            self._held = self._read(next(self._raws, None))
        if self._held is None or self._held.seq > seq:
            self._missing_in_mirror.add(seq)
            return
        line, self._held = self._held, None
        if body == line.body:
            return
        if self._removals.explain_blank(entry_of_body(body), line.body):
            self._removed += 1
            return
        here, there = digest_of(body), line.digest or digest_of(line.body)
        if here != there:
            self._differing_count += 1
            if len(self._differing) < NAMED_MAX:
                self._differing.append(Difference(seq, here.hex(), there.hex()))

    def _note_missing(self, line: _Line) -> None:
        if self._removals.cover(line.seq, line.body):
            self._removed += 1
        else:
            self._missing_in_journal.add(line.seq)


def _is_sealed(raw: bytes, body_bytes: int) -> bool:
    """Whether nothing but the seal follows a body."""
    rest = len(raw) - body_bytes
    return (rest == TAIL_BYTES or rest == TAIL_BYTES + len(MORE)) and raw[body_bytes + 2] in b"hm"


def _line_of(raw: bytes) -> _Line:
    body = raw[:-TAIL_BYTES]
    if body.endswith(MORE):
        body = body[: -len(MORE)]
    try:
        seq = int(raw[7 : raw.index(b",", 7)])
        at = body.find(b',"digest":"', 7, 48)
        if at >= 0:
            return _Line(seq, b"", bytes.fromhex(body[at + 11 : -1].decode()))
    except ValueError:
        # A line without a number: number 0 makes the caller say that the lines are not in order.
        return _Line(0, b"", b"")
    return _Line(seq, body, b"")
