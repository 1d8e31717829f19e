"""What a rule has thinned: what stands where an entry was, and the entry that says so.

Laws: numbers have no gaps, so where an entry went a *blank* stands: a REMOVED entry that keeps number, time
and address, and nothing else. It changes no state: what was true before goes on. The *act* is a REMOVED entry
without an address behind them; it names the rule, its pattern and those that the rule leaves out, and the
first and the last number between which the state of these addresses is that of entries that stayed.
"""

from __future__ import annotations

from typing import NamedTuple

from clasp_journal import value as values
from clasp_journal.address import Pattern, cover
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import BadValue, PatternError
from clasp_journal.forgetting import IMPORTED
from clasp_journal.value import Value, encode


class Thinned(NamedTuple):
    """What an act says: which entries went, by which rule."""

    pattern: Pattern
    rule: str
    first_seq: int
    last_seq: int
    entries: int
    excepted: tuple[Pattern, ...] = ()

    def holds_for(self, address: str) -> bool:
        """Whether entries of an address went by it."""
        return self.pattern.matches(address) and not any(each.matches(address) for each in self.excepted)

    def may_meet(self, asked: Pattern) -> bool:
        """Whether some address that is asked for may have been thinned."""
        if asked.is_literal:
            return self.holds_for(asked.text)
        if self.excepted and cover(self.excepted, asked):
            return False
        here, there = self.pattern.prefix, asked.prefix
        return here.startswith(there) or there.startswith(here)


def blank_of(entry: JournalEntry) -> JournalEntry:
    """What stands where an entry was that a rule let go."""
    return JournalEntry(entry.timestamp, "", entry.address, EntryKind.REMOVED, seq=entry.seq)


def was_thinned(entry: JournalEntry) -> bool:
    """Whether an entry only stands for one that a rule let go."""
    return entry.kind == EntryKind.REMOVED and bool(entry.address) and entry == blank_of(entry)


def stands_for(blank: JournalEntry, entry: JournalEntry) -> bool:
    """Whether the one is the blank of the other."""
    return was_thinned(blank) and blank == blank_of(entry)


def act_of(told: Thinned, *, at_us: int) -> JournalEntry:
    """The entry that records the act."""
    details: dict[str, Value] = {
        "rule": told.rule,
        "pattern": told.pattern.text,
        "from": told.first_seq,
        "to": told.last_seq,
        "count": told.entries,
    }
    if told.excepted:
        details["except"] = [pattern.text for pattern in told.excepted]
    return JournalEntry(at_us, "", "", EntryKind.REMOVED, details=encode(details))


def told_by(entry: JournalEntry) -> Thinned | None:
    """What an act says; None for any other entry, or where it cannot be understood."""
    if entry.kind != EntryKind.REMOVED or entry.address or entry.details is None:
        return None
    try:
        details = values.decode(entry.details)
        return _thinned(details) if isinstance(details, dict) and details.get(IMPORTED) is not True else None
    except (BadValue, PatternError):
        return None


def _thinned(details: dict[str, Value]) -> Thinned | None:
    pattern, rule, excepted = details.get("pattern"), details.get("rule"), details.get("except", [])
    first, last, count = details.get("from"), details.get("to"), details.get("count")
    if not (isinstance(pattern, str) and isinstance(rule, str) and isinstance(excepted, list)):
        return None
    if not (isinstance(first, int) and isinstance(last, int) and isinstance(count, int)):
        return None
    others = tuple(Pattern.parse(text) for text in excepted if isinstance(text, str))
    return Thinned(Pattern.parse(pattern), rule, first, last, count, others)
