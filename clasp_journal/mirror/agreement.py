"""Whether a journal and its mirror have the same entries.

Laws: both are read once, side by side, in pages, so memory stays flat; entries are compared as the text of
their lines; what was removed on purpose is not missing. The chain is not checked here: that is
`verify_chain`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import Protocol, runtime_checkable

from clasp_journal.journal import Journal
from clasp_journal.mirror.comparing import Body, Comparison, Parity
from clasp_journal.mirror.lines import body_of
from clasp_journal.selection import Selection

PAGE_ENTRIES = 5_000


@runtime_checkable
class Textual(Protocol):
    """A journal that tells its entries as the text of lines, with those left out that are missing."""

    async def bodies(self, after_seq: int, upto_seq: int, limit: int) -> list[Body]:
        """Up to `limit` entries with `after_seq < seq <= upto_seq`, as far as they are there."""


async def parity(
    journal: Journal, file: str | os.PathLike[str], *, on_progress: Callable[[int], None] | None = None
) -> Parity:
    """Compare a journal with its mirror, up to where both end now."""
    path = os.fspath(file)
    latest_seq = await journal.latest_seq()
    comparison = await asyncio.to_thread(Comparison, path)
    async for bodies in _pages(journal, latest_seq):
        await asyncio.to_thread(comparison.take, bodies)
        if on_progress is not None:
            on_progress(len(bodies))
    return await asyncio.to_thread(comparison.finish)


async def _pages(journal: Journal, latest_seq: int) -> AsyncIterator[list[Body]]:
    after_seq = 0
    while True:
        if isinstance(journal, Textual):
            page = await journal.bodies(after_seq, latest_seq, PAGE_ENTRIES)
        else:
            entries = await journal.page(Selection(), after_seq, latest_seq, PAGE_ENTRIES)
            page = [(entry.seq, body_of(entry, entry.seq).encode()) for entry in entries]
        if not page:
            return
        yield page
        after_seq = page[-1][0]
