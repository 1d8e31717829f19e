"""What stood at an address before an entry, to tell whether the entry changed anything.

Law: the entry before is the one before in the journal, whoever wrote it and whatever kind it is. Where it was
compacted, or never was, the entry counts as a change.
"""

from __future__ import annotations

from typing import TypeAlias

from clasp_journal.address import Pattern
from clasp_journal.entry import JournalEntry
from clasp_journal.journal import Journal
from clasp_journal.selection import Selection

Content: TypeAlias = tuple[bytes | None, bytes | None, bytes | None]


class Contents:
    """The last content of every address that was met."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._last: dict[str, Content] = {}

    async def differs(self, entry: JournalEntry) -> bool:
        """Whether an entry, the next one at its address, has another content than the one before it."""
        content = content_of(entry)
        if not entry.address:
            return True
        before = self._last.get(entry.address) or await self._before(entry)
        self._last[entry.address] = content
        return before != content

    async def _before(self, entry: JournalEntry) -> Content | None:
        there = Selection(Pattern.parse(entry.address))
        seq = await self._journal.nth_newest(there, 1, after_seq=0, upto_seq=entry.seq - 1)
        found = await self._journal.page(there, seq - 1, entry.seq - 1, 1)
        return content_of(found[0]) if found and found[0].address == entry.address else None


def content_of(entry: JournalEntry) -> Content:
    """What an entry carries, without who, when and which revision."""
    return (entry.encoded, entry.samples, entry.details)
