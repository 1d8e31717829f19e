"""When the disk will be full, if the journal goes on growing as it did.

Law: what was written lately tells what will be: of the last day, or of as much of it as there is. Nothing is
told from less than a minute, nor for more than a century.
"""

from __future__ import annotations

from typing import NamedTuple

from clasp_journal.journal import Journal

US_PER_S = 1_000_000
DAY_S = 86_400
LOOKED_AT_US = DAY_S * US_PER_S
ENOUGH_US = 60 * US_PER_S
CENTURY_DAYS = 36_525


class Growth(NamedTuple):
    """How fast a journal grows; without retention, which may hold it back."""

    entries_per_day: float
    bytes_per_day: float


def full_at_us(growth: Growth | None, free_bytes: int, now_us: int) -> int | None:
    """When so much room is used up; None if that cannot be told, or nobody alive will see it."""
    if not free_bytes:
        return now_us
    if growth is None or growth.bytes_per_day * CENTURY_DAYS <= free_bytes:
        return None
    return now_us + round(free_bytes / growth.bytes_per_day * LOOKED_AT_US)


async def forecast(journal: Journal, size_bytes: int) -> Growth | None:
    """How fast a journal of this size grows; None if there is too little to tell from."""
    latest = await journal.query(limit=1, newest=True)
    if not latest:
        return None
    latest_seq, latest_us = latest[0].seq, latest[0].timestamp
    first = (await journal.query(from_=latest_us - LOOKED_AT_US, limit=1))[0]
    span_us = latest_us - first.timestamp
    if span_us < ENOUGH_US:
        return None
    entries_per_day = (latest_seq - first.seq) / span_us * LOOKED_AT_US
    return Growth(entries_per_day, entries_per_day * size_bytes / await journal.len())
