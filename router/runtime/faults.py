"""What the router does while its journal cannot write, and when it can again.

Laws: with the policy `stop` nothing is applied that cannot be kept; with `serve` what could not be kept is
told afterwards, by a gap entry and a snapshot of everything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from clasp_journal.errors import JournalError
from router.core.router import Core
from router.runtime.exchange import Exchange
from router.runtime.keeping import Keeping
from router.runtime.ports import DeskPorts

log = logging.getLogger("router.journal")


class Faults:
    """Carries the state of the journal over to the core and its ports."""

    def __init__(
        self,
        keeping: Keeping,
        exchange: Exchange,
        ports: DeskPorts,
        core: Core,
        begin_first: Callable[[], int],
    ) -> None:
        self._keeping = keeping
        self._exchange = exchange
        self._ports = ports
        self._core = core
        self._begin_first = begin_first
        self._snapshot: asyncio.Task[None] | None = None

    def heed(self) -> None:
        """The journal may be in trouble now, or may have recovered."""
        keeping = self._keeping
        self._core.ground.accepting = keeping.is_accepting
        self._ports.record = keeping.recording()
        if keeping.trouble is None and keeping.missed:
            self._tell_gap()

    async def stop(self) -> None:
        """Let a snapshot that is on its way end."""
        if self._snapshot is not None:
            await asyncio.gather(self._snapshot, return_exceptions=True)

    def _tell_gap(self) -> None:
        """The journal can write again: say what it missed, and how things are now."""
        now_us = self._begin_first()
        log.warning("%d entries are missing from the journal", self._keeping.missed)
        self._keeping.record_gap(now_us)
        self._exchange.flush()
        topics = self._core.ground.topics
        recorder = self._keeping.recorder
        assert recorder is not None
        # Handed over here and not in the task, so that no later write comes between.
        kept = recorder.keep_snapshot(topics.snapshot(), topics.revision_floor)
        self._snapshot = asyncio.get_running_loop().create_task(self._keep(kept))

    async def _keep(self, kept: Awaitable[int]) -> None:
        try:
            await kept
        except JournalError as error:
            log.error("the snapshot after the gap failed: %s", error)
