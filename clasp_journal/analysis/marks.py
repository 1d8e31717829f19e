"""Instants that people named, as the journal remembers them.

Law: a mark is an entry of its own kind; of several with one name the one that was made last is meant.
"""

from __future__ import annotations

from typing import NamedTuple

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import BadInput
from clasp_journal.journal import Journal, Results
from clasp_journal.selection import NO_ADDRESS, Selection

_MARKS = Selection(NO_ADDRESS, kinds=frozenset((int(EntryKind.MARK),)))


class NamedInstant(NamedTuple):
    """A mark: the name, the instant in microseconds, and who said what."""

    name: str
    at_us: int
    seq: int
    author: str
    message: str | None


async def marks(journal: Journal) -> list[NamedInstant]:
    """Every mark that is still there, in the order in which they were made."""
    return [_named(entry) async for entry in Results(journal, _MARKS)]


async def find_mark(journal: Journal, name: str) -> NamedInstant:
    """The mark of a name; `BadInput` with the nearest names if there is none."""
    known = {mark.name: mark for mark in await marks(journal)}
    if name in known:
        return known[name]

    import difflib

    near = difflib.get_close_matches(name, known, 3, 0.0)
    there_are = f"near it are {', '.join(near)}" if near else "there are none at all"
    raise BadInput(f"there is no mark {name!r}; {there_are}")


def _named(entry: JournalEntry) -> NamedInstant:
    details = values.decode(entry.details) if entry.details is not None else {}
    told = details if isinstance(details, dict) else {}
    name, message = told.get("mark"), told.get("message")
    return NamedInstant(
        name if isinstance(name, str) else "",
        entry.timestamp,
        entry.seq,
        entry.author,
        message if isinstance(message, str) else None,
    )
