"""What was removed on purpose, and therefore is not missing.

    removed   retention or compaction: details `from`, `to`, `rule`; or the mirror's own line `removed`
              With `pattern`, a rule has thinned entries in the journal: the mirror keeps their lines
    forget    the entries of one author: details `author` (and `from`, `to`; default: all before this entry)

`author` is the subject of a token, a session id or a client's name, as in every call by author.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from clasp_journal import value as values
from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import BadValue
from clasp_journal.forgetting import IMPORTED, is_blank, is_by, told_by
from clasp_journal.mirror.lines import entry_of_body
from clasp_journal.mirror.packing import READ_AT_ONCE_BYTES, UNREADABLE
from clasp_journal.mirror.segments import all_segments, open_segment
from clasp_journal.thinned import Thinned, stands_for, was_thinned
from clasp_journal.thinned import told_by as thinned_by

_WORDS = (b'"op":"removed"', b'"op":"forget"', b'{"removed":')
_TELLING = re.compile(rb'\{"seq":\d+,"timestamp":-?\d+,"op":"(?:removed|forget)"')
_REMOVED_LINE = re.compile(rb'\{"removed":\{"before_seq":(\d+)\}')


class Removal(NamedTuple):
    """Entries from one number to another; those of one author, or all."""

    first_seq: int
    last_seq: int
    author: str | None = None


class Removals:
    """Everything that was removed, as far as a mirror knows."""

    def __init__(self) -> None:
        self.before_seq = 0
        """All entries below it are gone."""
        self.ranges: list[Removal] = []
        self._thinned: dict[tuple[Pattern, str], Thinned] = {}
        """Each with the first and the last number of all acts of one rule."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever removed."""
        return not self.before_seq and not self.ranges

    def add(self, removal: Removal) -> None:
        """Take one more into account."""
        if removal.author is None and removal.first_seq <= max(self.before_seq, 1):
            self.before_seq = max(self.before_seq, removal.last_seq + 1)
        else:
            self.ranges.append(removal)

    def add_thinned(self, told: Thinned) -> None:
        """Take an act of a rule into account."""
        key = told.pattern, told.rule
        known = self._thinned.get(key, told)
        first, last = min(known.first_seq, told.first_seq), max(known.last_seq, told.last_seq)
        self._thinned[key] = told._replace(first_seq=first, last_seq=last)

    def explain_blank(self, blank: JournalEntry, body: bytes) -> bool:
        """Whether a journal may have a blank where the mirror has this."""
        if is_blank(blank):
            return self.cover(blank.seq, body)
        if not was_thinned(blank) or (body and not stands_for(blank, entry_of_body(body))):
            return False
        acts = self._thinned.values()
        return any(a.first_seq <= blank.seq <= a.last_seq and a.pattern.matches(blank.address) for a in acts)

    def cover(self, seq: int, body: bytes) -> bool:
        """Whether an entry was removed on purpose; without a body it was forgotten."""
        if seq < self.before_seq or not body:
            return True
        covering = [each for each in self.ranges if each.first_seq <= seq <= each.last_seq]
        if not covering:
            return False
        entry = entry_of_body(body)
        return any(each.author is None or is_by(entry, each.author) for each in covering)


def removal_of(body: bytes) -> Removal | None:
    """What a `removed` or `forget` entry takes from a mirror; None if that is nothing, or cannot be
    understood."""
    try:
        entry = entry_of_body(body)
        if entry.kind == EntryKind.FORGET:
            told = told_by(entry)
            return Removal(told.first_seq, told.last_seq, told.author) if told else None
        details = values.decode(entry.details) if entry.details is not None else None
    except BadValue:
        return None
    if not isinstance(details, dict) or details.get(IMPORTED) is True or "pattern" in details:
        return None
    first, last = details.get("from", 1), details.get("to", entry.seq - 1)
    if type(first) is not int or type(last) is not int:
        return None
    return Removal(first, min(last, entry.seq - 1))


def read_removals(path: str) -> Removals:
    """Look through a mirror for what was removed. The chain is checked by whoever reads the entries."""
    found = Removals()
    for file in all_segments(path):
        with open_segment(file) as lines:
            try:
                while block := lines.read(READ_AT_ONCE_BYTES) + lines.readline():
                    # A block is looked through many times faster than its lines, and most have none of these.
                    if any(word in block for word in _WORDS):
                        for line in block.split(b"\n"):
                            _look(line, found)
            except UNREADABLE:
                # Whoever reads the lines themselves says what is wrong with this file.
                return found
    return found


def _look(line: bytes, found: Removals) -> None:
    if _TELLING.match(line):
        body = line[: line.rfind(b',"hash":"')].removesuffix(b',"more":true')
        removal, thinned = removal_of(body), _thinned_of(body)
        if removal is not None:
            found.add(removal)
        elif thinned is not None:
            found.add_thinned(thinned)
    elif (removed := _REMOVED_LINE.match(line)) is not None:
        found.add(Removal(1, int(removed[1]) - 1))


def _thinned_of(body: bytes) -> Thinned | None:
    try:
        return thinned_by(entry_of_body(body))
    except BadValue:
        return None
