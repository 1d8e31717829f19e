"""What can be said about a journal as a whole without reading it."""

from __future__ import annotations

from typing import NamedTuple

from clasp_journal.journal import Journal


class Facts(NamedTuple):
    """The extent of a journal; times are None where there is no entry."""

    epoch: str
    entries: int
    oldest_seq: int
    latest_seq: int
    oldest_us: int | None
    latest_us: int | None


async def stats(journal: Journal) -> Facts:
    """The facts, each as it is when it is asked for."""
    latest_seq = await journal.latest_seq()
    oldest_seq = await journal.oldest_seq()
    oldest = await journal.since(oldest_seq - 1, limit=1)
    latest = await journal.since(latest_seq - 1, limit=1) if latest_seq >= oldest_seq else []
    return Facts(
        journal.epoch,
        await journal.len(),
        oldest_seq,
        latest_seq,
        oldest[0].timestamp if oldest else None,
        latest[0].timestamp if latest else None,
    )
