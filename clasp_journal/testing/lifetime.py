"""Closing, and the name of one life."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from clasp_journal.errors import JournalClosed
from clasp_journal.journal import Journal
from clasp_journal.testing.samples import PATIENCE_S, Make, a_series, must_raise


async def check_closing_twice_does_nothing(make: Make) -> None:
    """Whoever is not sure may close again."""
    journal = await make()
    await journal.append(a_series(2))
    await journal.close()
    await journal.close()


async def check_a_closed_journal_answers_nothing(make: Make) -> None:
    """Every call after `close` raises JournalClosed, and so does leaving the `async with`."""
    async with await make() as journal:
        await journal.append(a_series(3))
    attempts: dict[str, Callable[[], Awaitable[object]]] = {
        "append": lambda: journal.append(a_series(1)),
        "latest_seq": lambda: journal.latest_seq(),
        "oldest_seq": lambda: journal.oldest_seq(),
        "len": lambda: journal.len(),
        "is_empty": lambda: journal.is_empty(),
        "snapshot": lambda: journal.snapshot([]),
        "load_snapshot": lambda: journal.load_snapshot(),
        "compact": lambda: journal.compact(2),
        "query": lambda: journal.query(),
        "since": lambda: journal.since(0),
        "state": lambda: journal.state(),
        "tail": lambda: anext(journal.tail()),
        "wait_beyond": lambda: journal.wait_beyond(0),
    }
    for what, attempt in attempts.items():
        await must_raise(JournalClosed, attempt(), f"{what} after close")


async def check_closing_wakes_who_waits(make: Make) -> None:
    """A tail that waits for more ends with JournalClosed; it does not wait for ever."""
    journal = await make()
    await journal.append(a_series(1))
    await asyncio.gather(
        must_raise(JournalClosed, anext(journal.tail(since=1)), "a tail that waits"),
        _close_when_others_wait(journal),
    )


async def _close_when_others_wait(journal: Journal) -> None:
    for _ in range(50):
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await journal.close()


async def check_every_journal_has_its_own_epoch(make: Make) -> None:
    """A name that is never empty, never shared, and stays while nothing is lost."""
    one, other = await make(), await make()
    try:
        assert one.epoch, "an epoch has a name"
        assert one.epoch != other.epoch, "two journals share an epoch"
        before = one.epoch
        await one.append(a_series(10))
        await one.compact(5)
        assert one.epoch == before, "the epoch changed though nothing was lost"
    finally:
        await one.close()
        await other.close()
