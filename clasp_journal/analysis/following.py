"""What is being written, as far as an inquiry wants it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from clasp_journal.analysis.changes import Contents
from clasp_journal.analysis.inquiry import Inquiry
from clasp_journal.entry import JournalEntry
from clasp_journal.journal import Journal
from clasp_journal.selection import EVERYTHING


async def follow(journal: Journal, inquiry: Inquiry, after_seq: int) -> AsyncIterator[JournalEntry]:
    """The wanted entries with a higher number, for ever: those that are there, and those to come."""
    selections = inquiry.selections()
    pattern = selections[0].pattern if len(selections) == 1 else EVERYTHING
    contents = Contents(journal) if inquiry.changed else None
    async for entry in journal.tail(after_seq, pattern):
        if not any(selection.matches(entry) for selection in selections):
            continue
        if contents is not None and not await contents.differs(entry):
            continue
        if inquiry.wants(entry):
            yield entry
