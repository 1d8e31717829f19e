"""Forgetting an author: what stands where an entry was, and the entry that says so.

Laws: numbers have no gaps, so where an entry was forgotten a *blank* stands: it keeps number and time, and
nothing else. The *act* of forgetting is an entry of its own behind them; it names the author, the first and
the last entry that went, and how many there were. Acts and blanks themselves are never forgotten.

A blank where a SET or EXPIRE was hides a change of state: no state is told by folding over it. One that
stands for something else says so in its details.
"""

from __future__ import annotations

from typing import NamedTuple

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import BadInput, BadValue
from clasp_journal.value import Value, encode

SETTLING = frozenset((int(EntryKind.SET), int(EntryKind.EXPIRE)))
"""The kinds that change the state."""
HARMLESS = encode({"was": "no change"})
IMPORTED = "imported"
"""The key that is true in the details of what happened in another journal, under other numbers."""


class Forgotten(NamedTuple):
    """What an act says: whose entries went, from one number to another."""

    author: str
    first_seq: int
    last_seq: int
    entries: int | None = None
    """How many there were, where that is known."""


def blank(seq: int, timestamp: int) -> JournalEntry:
    """What stands where an entry of an unknown kind was."""
    return JournalEntry(timestamp, "", "", EntryKind.FORGET, seq=seq)


def blank_of(entry: JournalEntry) -> JournalEntry:
    """What stands where this entry was."""
    details = None if entry.kind in SETTLING else HARMLESS
    return blank(entry.seq, entry.timestamp)._replace(details=details)


def is_blank(entry: JournalEntry) -> bool:
    """Whether an entry only stands for one that was forgotten."""
    return entry.kind == EntryKind.FORGET and entry in (
        blank(entry.seq, entry.timestamp),
        blank(entry.seq, entry.timestamp)._replace(details=HARMLESS),
    )


def hides_change(entry: JournalEntry) -> bool:
    """Whether the state behind an entry cannot be told from the state before it."""
    return entry.kind == EntryKind.FORGET and entry.details is None


def is_by(entry: JournalEntry, author: str) -> bool:
    """Whether forgetting an author forgets this entry."""
    return author in (entry.author, entry.name) and entry.kind != EntryKind.FORGET


def check_author(author: str) -> None:
    """Refuse the author of what nobody wrote: the journal's own notes."""
    if not author:
        raise BadInput("whose entries? an author has a name: a session id, a subject or a client's name")


def act_of(forgotten: Forgotten, *, at_us: int, by: str = "") -> JournalEntry:
    """The entry that records the act; `by` is who did it."""
    author, first_seq, last_seq, entries = forgotten
    details: dict[str, Value] = {"author": author, "from": first_seq, "to": last_seq, "count": entries}
    return JournalEntry(at_us, by, "", EntryKind.FORGET, details=encode(details))


def told_by(entry: JournalEntry) -> Forgotten | None:
    """What an act says; None for a blank, or where it cannot be understood."""
    if entry.kind != EntryKind.FORGET or entry.details is None:
        return None
    try:
        details = values.decode(entry.details)
    except BadValue:
        return None
    if not isinstance(details, dict) or details.get(IMPORTED) is True:
        return None
    author, count = details.get("author"), details.get("count")
    first, last = details.get("from", 1), details.get("to", entry.seq - 1)
    if not isinstance(author, str) or type(first) is not int or type(last) is not int:
        return None
    return Forgotten(author, first, min(last, entry.seq - 1), count if type(count) is int else None)
