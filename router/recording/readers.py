"""Who commits steps aside for who reads. Two threads that compute at once in one interpreter hand it back and
forth with each row; one after the other, both are done sooner.

Law: a commit waits no longer than `ASIDE_S`, however many read for however long, and not at all once somebody
waits for it to answer a question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

ASIDE_S = 0.003


class Readers:
    """Those who read at this moment."""

    def __init__(self) -> None:
        self._count = 0
        self._way_is_free = asyncio.Event()

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """While the block runs, one more reads."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._way_is_free.set()

    def hurry(self) -> None:
        """Somebody waits for the commit."""
        self._way_is_free.set()

    async def let_pass(self) -> None:
        """Return when nobody reads any more, or after a moment."""
        if self._count:
            self._way_is_free.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(ASIDE_S):
                    await self._way_is_free.wait()
