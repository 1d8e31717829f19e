"""Retention while the router runs: what the rules do not keep goes, a minute after it may, or a little later.

That is: what is older, more or larger than is kept, and then what rules let go of single addresses.
Laws: the journal removes in slices of its own, between commits; a run that fails is tried again at the next
occasion, and told once; a journal that cannot retain by rules, as the ring that has its own, is left alone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Protocol, TypeAlias, runtime_checkable

from clasp_journal.errors import JournalError
from clasp_journal.journal import Journal
from clasp_journal.rules import Rules
from router.recording.options import RetentionRules

Work: TypeAlias = Callable[[], Awaitable[int]]
"""Removes something; tells how many entries."""

EVERY_S = 60.0
"""Between two runs; one also follows a snapshot, unless the last run had something to remove."""

log = logging.getLogger(__name__)


@runtime_checkable
class Retains(Protocol):
    """A journal that removes its oldest entries by rules."""

    async def retain(
        self,
        *,
        age_us: int | None = None,
        size_bytes: int | None = None,
        count: int | None = None,
        now_us: int | None = None,
    ) -> int:
        """Remove the oldest entries until the rules are kept; return how many."""


@runtime_checkable
class Thins(Protocol):
    """A journal that lets entries go in between by rules."""

    async def thin(self, rules: Rules, *, before_us: int) -> int:
        """Let what is older than an instant go as far as the rules say; return how many entries."""


class Retention:
    """Decides when something is removed. It works while `run` runs."""

    def __init__(self, journal: Journal, rules: RetentionRules, on_removed: Callable[[], None]) -> None:
        """`on_removed` is called when a run has removed something, which the journal itself has recorded."""
        self._on_removed = on_removed
        self._journal = journal
        self._bounds = rules
        self._rules = Rules(rules.rules)
        self._occasion = asyncio.Event()
        self._is_told = False

    def note_snapshot(self) -> None:
        """A snapshot was taken: from there, a cut costs least."""
        self._occasion.set()

    async def run(self) -> None:
        """Remove what the rules do not keep, again and again."""
        works = [*self._works()]
        while works:
            if any([await self._remove(work) for work in works]):
                self._on_removed()
                # Each cut costs a snapshot of all params.
                await asyncio.sleep(EVERY_S)
            self._occasion.clear()
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._occasion.wait()
            except TimeoutError:
                pass  # Time alone makes entries too old.

    def _works(self) -> Iterator[Work]:
        """What there is to be done, and can be done, by this journal."""
        journal, bounds = self._journal, self._bounds
        limits = bounds.age_us, bounds.size_bytes, bounds.entries
        if limits != (None, None, None) and isinstance(journal, Retains):
            age_us, size_bytes, count = limits
            yield partial(journal.retain, age_us=age_us, size_bytes=size_bytes, count=count)
        if self._rules.thin and isinstance(journal, Thins):
            yield partial(self._thin, journal)

    async def _thin(self, journal: Thins) -> int:
        before_us = time.time_ns() // 1_000 - self._bounds.thin_after_us
        return await journal.thin(self._rules, before_us=before_us)

    async def _remove(self, work: Work) -> int:
        try:
            removed = await work()
            self._is_told = False
        except Exception as error:
            self._tell(error)
            return 0
        return removed

    def _tell(self, error: Exception) -> None:
        if not self._is_told:
            self._is_told = True
            foreseen = isinstance(error, JournalError)
            log.warning(
                "old entries could not be removed, the journal keeps growing: %s",
                error,
                exc_info=None if foreseen else error,
            )
