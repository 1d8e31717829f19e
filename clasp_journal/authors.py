"""One author's journal: everything that can be asked of all entries, asked of one author's.

    desk = Author(journal, "desk")
    last = await desk.last_checkpoint("/job/done/*")

An author is named by a session id, the subject of a token, or the name that a client gave itself; the last is
the one that outlives a session. Numbers belong to the journal, which gives them: a writer that comes back
cannot collide with itself, it only has to see how far it had come.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.journal import Journal, Results
from clasp_journal.selection import Selection

_SETS = frozenset((int(EntryKind.SET),))


class Author:
    """What one author wrote, in any journal: in a file, in memory, or of a live router."""

    def __init__(self, journal: Journal, name: str) -> None:
        self.name = name
        self._journal = journal
        self._selection = Selection(author=name)

    def entries(self, after_seq: int = 0, limit: int | None = None) -> Results:
        """The author's entries behind a number, oldest first."""
        return self._journal.since(after_seq, limit, author=self.name)

    def tail(self, since: int = 0, pattern: str | Pattern = "/**") -> AsyncIterator[JournalEntry]:
        """The author's entries behind a number, and then each one as it is written."""
        return self._journal.tail(since, pattern, author=self.name)

    async def latest_seq(self) -> int:
        """The number of the newest entry; 0 if there is none."""
        newest = await self._journal.query(author=self.name, limit=1, newest=True)
        return newest[0].seq if newest else 0

    async def count(self) -> int:
        """How many entries there are."""
        latest = await self._journal.latest_seq()
        return await self._journal.count(self._selection, after_seq=0, upto_seq=latest)

    def checkpoints(self, pattern: str | Pattern = "/**") -> Results:
        """The steps that the author marked as completed, oldest first: SETs on addresses of its choice."""
        return self._journal.query(pattern, author=self.name, kinds=_SETS)

    async def last_checkpoint(self, pattern: str | Pattern = "/**") -> JournalEntry | None:
        """The step that was completed last; None if none was."""
        last = await self._journal.query(pattern, author=self.name, kinds=_SETS, limit=1, newest=True)
        return last[0] if last else None

    async def forget(self, *, by: str = "") -> int:
        """Remove what the author wrote; see `Journal.forget`."""
        return await self._journal.forget(self.name, by=by)
