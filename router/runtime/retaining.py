"""Retention while the router runs: what the rules do not keep goes, a minute after it may, or a little later.

Laws: the journal removes in slices of its own, between commits; a run that fails is tried again at the next
occasion, and told once; a journal that cannot retain by rules, as the ring that has its own, is left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from clasp_journal.errors import JournalError
from clasp_journal.journal import Journal
from router.runtime.options import RetentionRules

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


class Retention:
    """Decides when. It works while `run` runs."""

    def __init__(self, journal: Journal, rules: RetentionRules, on_removed: Callable[[], None]) -> None:
        """`on_removed` is called when a run has removed something, which the journal itself has recorded."""
        self._on_removed = on_removed
        self._journal = journal
        self._rules = rules
        self._occasion = asyncio.Event()
        self._is_told = False

    def note_snapshot(self) -> None:
        """A snapshot was taken: from there, a cut costs least."""
        self._occasion.set()

    async def run(self) -> None:
        """Remove for ever."""
        journal = self._journal
        if self._rules == RetentionRules() or not isinstance(journal, Retains):
            return
        while True:
            if await self._remove(journal):
                self._on_removed()
                # Each cut costs a snapshot of all params.
                await asyncio.sleep(EVERY_S)
            self._occasion.clear()
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._occasion.wait()
            except TimeoutError:
                pass  # Time alone makes entries too old.

    async def _remove(self, journal: Retains) -> int:
        age_us, size_bytes, count = self._rules
        try:
            removed = await journal.retain(age_us=age_us, size_bytes=size_bytes, count=count)
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
