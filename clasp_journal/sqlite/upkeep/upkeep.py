"""What is done to a journal file beside appending and reading: removing, thinning, forgetting, copying,
verifying.

Laws: whatever rewrites the file takes turns with everything else that does; who only reads the file does
not even import this.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from clasp_journal.rules import Rules
from clasp_journal.sqlite.keeper import SnapshotKeeper
from clasp_journal.sqlite.storage import Storage
from clasp_journal.sqlite.upkeep.compaction import Compaction
from clasp_journal.sqlite.upkeep.copying import Copied, Copying, OnProgress
from clasp_journal.sqlite.upkeep.forgetting import Forgetting
from clasp_journal.sqlite.upkeep.retention import Bounds, choose_cut, read_facts, recorded
from clasp_journal.sqlite.upkeep.thinning import Thinning
from clasp_journal.sqlite.upkeep.verification import Verification, verify

if TYPE_CHECKING:
    from clasp_journal.mirror.rebuilding import Inserted, Origin


class Upkeep:
    """The upkeep of an open journal; `turns` is the lock of everything that rewrites the file."""

    def __init__(self, storage: Storage, turns: asyncio.Lock) -> None:
        self._storage = storage
        self._turns = turns

    async def resume(self) -> None:
        """Finish what an interruption has left of a forgetting."""
        await self._forgetting().resume()

    async def insert_missing(self, bodies: Iterable[tuple[int, bytes]], origin: Origin) -> Inserted:
        """Insert entries, as `Insertion` says; what was forgotten meanwhile is forgotten again."""
        async with self._turns:
            inserted = await self._storage.writer.insert_missing(bodies, origin)
            await self.resume()
        return inserted

    async def compact(
        self, before_seq: int, *, force: bool, on_progress: Callable[[int], None] | None
    ) -> int:
        """Remove the entries below a number, as `Compaction` says."""
        async with self._turns:
            compaction = Compaction(self._storage, SnapshotKeeper(self._storage), on_progress)
            return await compaction.run(before_seq, force=force)

    async def forget(self, author: str, by: str, on_progress: Callable[[int], None] | None) -> int:
        """Forget an author, as `Forgetting` says."""
        async with self._turns:
            return await self._forgetting().run(author, by, on_progress)

    async def retain(
        self, *, age_us: int | None, size_bytes: int | None, count: int | None, now_us: int | None
    ) -> int:
        """Remove the oldest entries until these rules are kept; return how many."""
        bounds = Bounds(age_us, size_bytes, count)
        now_us = time.time_ns() // 1000 if now_us is None else now_us
        oldest_us = None if age_us is None else now_us - age_us
        storage = self._storage
        facts = await storage.reader.run(
            partial(read_facts, catalog=storage.catalog, oldest_us=oldest_us), "retain"
        )
        cut = choose_cut(bounds, facts)
        if cut is None:
            return 0
        async with self._turns:
            compaction = Compaction(storage, SnapshotKeeper(storage))
            return await compaction.run(cut.before_seq, note=partial(recorded, cut, now_us))

    async def thin(self, rules: Rules, before_us: int, now_us: int | None) -> int:
        """Let entries go by rules, as `Thinning` says."""
        now_us = time.time_ns() // 1000 if now_us is None else now_us
        async with self._turns:
            return await Thinning(self._storage, rules).run(before_us, now_us)

    async def verify(self, *, full: bool, on_progress: OnProgress | None) -> Verification:
        """Say what is not as it was written."""
        return await verify(self._storage.path, full=full, on_progress=on_progress)

    async def copy(
        self, target: str, upto_seq: int, *, same_epoch: bool, on_progress: OnProgress | None
    ) -> Copied:
        """Copy the journal into a fresh file, as `Copying` says."""
        copying = Copying(self._storage.reader, upto_seq, on_progress)
        return await copying.run(self._storage.path, target, same_epoch=same_epoch)

    def _forgetting(self) -> Forgetting:
        return Forgetting(self._storage, SnapshotKeeper(self._storage))
