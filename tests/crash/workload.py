"""The child that is killed, or whose power is cut: it appends to a journal and tells what it was promised.

Laws: it tells before it attempts and after it was answered; every entry is `entry_at` its number; once it has
opened the file it counts for itself, so that a number given twice or skipped ends it with an error.

Run as `python -m tests.crash.workload FILE SEED STEPS SYNCED UPKEEP [MIRROR]`: it stops after STEPS steps (0:
never), SYNCED is the share of appends that ask for the disk, UPKEEP the share of steps that compact the
journal or open it anew, MIRROR the file of a mirror. With the shim it tells into the shim's log, else to
stdout.
"""

import asyncio
import json
import os
import random
import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

from clasp_journal.errors import HistoryIncomplete
from clasp_journal.mirror import MirrorOptions
from clasp_journal.sqlite.journal import SqliteJournal
from tests.crash.model import entry_at
from tests.crash.shim import mark

Tell = Callable[[str], object]
Make = Callable[[], SqliteJournal]
SEGMENT_BYTES = 125_000
"""So small that many kills hit a change of files."""
BATCHES = {1: 30, 2: 10, 3: 10, 8: 35, 30: 11, 100: 3, 300: 1}
"""How many appends of a hundred have so many entries. It is appends that are cut short, and each entry is
read again after every later cut."""
SNAPSHOTS = 0.05


class Workload:
    """One writer at work, choosing at random what it does next."""

    def __init__(self, make: Make, seed: int, tell: Tell, *, synced: float, upkeep: float) -> None:
        self._make = make
        self._rng = random.Random(seed)
        self._synced_share = synced
        self._tell = tell
        self._acts = {
            self._append: 1 - SNAPSHOTS - upkeep,
            self._snapshot: SNAPSHOTS,
            self._compact: upkeep * 2 / 3,
            self._reopen: upkeep / 3,
        }

    async def run(self, steps: int) -> None:
        """Open the journal, work for so many steps (0: until somebody ends it), and close it."""
        await self._open()
        done = 0
        while not steps or done < steps:
            (act,) = self._rng.choices(tuple(self._acts), tuple(self._acts.values()))
            await act()
            done += 1
        await self._close()

    def _report(self, did: str, **facts: Any) -> None:
        self._tell(json.dumps({"did": did, **facts}))

    async def _open(self) -> None:
        self._journal = self._make()
        await self._journal.open()
        self._last = await self._journal.latest_seq()
        self._state = await self._journal.state()
        self._report("opened", epoch=self._journal.epoch, last=self._last)

    async def _append(self) -> None:
        (count,) = self._rng.choices(tuple(BATCHES), tuple(BATCHES.values()))
        last = self._last + count
        synced = self._rng.random() < self._synced_share
        batch = [entry_at(seq) for seq in range(self._last + 1, last + 1)]
        self._report("appending", last=last)
        returned = await self._journal.append([entry._replace(seq=0) for entry in batch], synced=synced)
        assert returned == last, f"append returned {returned}, not {last}"
        self._report("appended", last=last, synced=synced)
        for entry in batch:
            self._state.apply(entry)
        self._last = last

    async def _snapshot(self) -> None:
        returned = await self._journal.snapshot(self._state.params())
        assert returned == self._last, f"a snapshot at {returned}, not at {self._last}"

    async def _compact(self) -> None:
        oldest = await self._journal.oldest_seq()
        before = self._rng.randint(oldest, self._last + 1)
        self._report("compacting", before=before)
        try:
            removed = await self._journal.compact(before)
        except HistoryIncomplete:
            # An earlier compaction was cut short, and this one asks for a state that lies within that one.
            return
        assert removed == before - oldest, f"{removed} of {before - oldest} entries were removed"

    async def _reopen(self) -> None:
        await self._close()
        await self._open()

    async def _close(self) -> None:
        await self._journal.close()
        self._report("closed")


def to_stdout(line: str) -> None:
    """Tell so that the parent still hears it after this process was killed."""
    os.write(1, line.encode() + b"\n")


def main() -> None:
    """Work as the command line says."""
    path, seed, steps, synced, upkeep, *mirror = sys.argv[1:]
    tell = mark if "SHIM_LOG" in os.environ else to_stdout
    options = MirrorOptions(mirror[0], segment_bytes=SEGMENT_BYTES, compress="gzip") if mirror else None
    make = partial(SqliteJournal, path, mirror=options)
    workload = Workload(make, int(seed), tell, synced=float(synced), upkeep=float(upkeep))
    try:
        asyncio.run(workload.run(int(steps)))
    except Exception:
        # An orderly end would wait for the threads of the journal that was left open.
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    main()
