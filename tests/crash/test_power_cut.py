"""The power may go at any moment: what was acknowledged as synced is there, and nothing is ever damaged.

A child works under the shim. From the log the disk is rebuilt as a power cut at some moment could have left
it (`disk.py`), and the journal is opened on that. The next life starts on one of those disks.
"""

import random
import shutil
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import pytest

from clasp_journal.sqlite.journal import SqliteJournal
from tests.crash.disk import Act, Disk, Record, choose_cut, read_log
from tests.crash.model import History, Model, check
from tests.crash.shim import Shim, run_child

SYNCED_SHARES = {"fsync": 1.0, "commit": 0.0, "mixed": 0.2}
"""How many of the appends ask for the disk, by the level that is tried."""
FILE = "show.db"


class Past(NamedTuple):
    """Where a life starts: the files, and what is known about them."""

    files: Mapping[str, bytes]
    history: History


class Bench:
    """Cuts the power of one life after the other."""

    def __init__(self, shim: Shim, folder: Path, level: str, *, steps: int) -> None:
        self._shim = shim
        self._folder = folder
        self._synced_share = SYNCED_SHARES[level]
        self._steps = steps
        self._rng = random.Random(f"{level} {steps}")
        self._model = Model()
        self.lost = 0
        """Cuts that took acknowledged entries with them."""
        self.restarts = 0
        """How often the write-ahead log was begun again at its start, over what stood there before."""

    async def live(self, past: Past, number: int, *, cuts: int) -> Past:
        """One life, and so many cuts of it; where the next one may start."""
        records = self._record(past.files, number)
        ends = []
        for _ in range(cuts):
            ends.append(await self._cut(past, records))
        return self._rng.choice(ends)

    def _record(self, files: Mapping[str, bytes], number: int) -> list[Record]:
        root, log = self._folder / f"life{number}", self._folder / f"log{number}"
        write_files(root, files)
        environment = self._shim.environment(root, log=log, boot_id=f"boot-{number}")
        arguments = (
            str(root / FILE),
            str(self._rng.randrange(1 << 30)),
            str(self._steps),
            str(self._synced_share),
            # Upkeep empties the write-ahead log early; without it, it grows until it is begun again.
            "0.0" if number % 2 else "0.03",
            *self._more(root),
        )
        run_child("tests.crash.workload", *arguments, environment=environment)
        records = read_log(log)
        self.restarts += count_restarts(records, is_fresh=not files.get(f"{FILE}-wal"))
        seen = {(record.act, record.name) for record in records}
        assert {(Act.WRITE, f"{FILE}-wal"), (Act.SYNC, f"{FILE}-wal")} <= seen, (
            "the shim saw no write or no sync of the write-ahead log: this SQLite does not go through it"
        )
        shutil.rmtree(root)
        log.unlink()
        return records

    async def _cut(self, past: Past, records: list[Record]) -> Past:
        cut = choose_cut(records, self._rng)
        disk, history = Disk(past.files), deepcopy(past.history)
        disk.do(records[:cut])
        for record in records[:cut]:
            if record.act is Act.MARK:
                history.take(record.data)
        files = disk.image(self._rng)
        root = self._folder / "after"
        write_files(root, files)
        latest = await self._judge(root, history)
        shutil.rmtree(root)
        found = History(acked=latest, synced=latest, ends={latest}, cuts=history.cuts)
        return Past(files, found)

    def _more(self, root: Path) -> tuple[str, ...]:
        """What else the child is told."""
        return ()

    async def _judge(self, root: Path, history: History) -> int:
        """Check what is left in a folder; the last entry there."""
        async with SqliteJournal(root / FILE) as journal:
            return await self._check(journal, history)

    async def _check(self, journal: SqliteJournal, history: History) -> int:
        latest = await check(journal, history, floor=history.synced, model=self._model, rng=self._rng)
        if latest < history.acked:
            self.lost += 1
            assert journal.epoch != history.epoch, "entries were lost under the same epoch"
        following = self._model.entries(latest + 1, latest + 1)
        assert await journal.append(following, synced=True) == latest + 1
        assert await journal.since(latest) == following
        return latest


def count_restarts(records: list[Record], *, is_fresh: bool) -> int:
    """How often the first bytes of a write-ahead log were written in place of older ones."""
    restarts = 0
    for record in records:
        if record.name == f"{FILE}-wal":
            begins = record.act is Act.WRITE and record.offset == 0
            restarts += begins and not is_fresh
            is_fresh = record.act in (Act.CREATE, Act.TRUNCATE) or (is_fresh and not begins)
    return restarts


def write_files(root: Path, files: Mapping[str, bytes]) -> None:
    """Make a directory with these files."""
    root.mkdir()
    for name, content in files.items():
        (root / name).write_bytes(content)


async def cut_the_power(bench: Bench, *, lives: int, cuts: int) -> None:
    """Live and lose power, again and again."""
    past = Past({}, History())
    for number in range(lives):
        past = await bench.live(past, number, cuts=cuts)


@pytest.mark.parametrize("level", SYNCED_SHARES)
async def test_a_power_cut_takes_only_what_was_not_synced(shim: Shim, tmp_path: Path, level: str) -> None:
    """Synced appends survive, others up to some point, and the file is whole: 16 cuts of two lives."""
    await cut_the_power(Bench(shim, tmp_path, level, steps=120), lives=2, cuts=8)


@pytest.mark.soak
@pytest.mark.parametrize("level", SYNCED_SHARES)
async def test_two_hundred_power_cuts_take_only_what_was_not_synced(
    shim: Shim, tmp_path: Path, level: str
) -> None:
    """The same for 200 cuts of four lives; where nothing is synced, some cuts do take something."""
    bench = Bench(shim, tmp_path, level, steps=900)
    await cut_the_power(bench, lives=4, cuts=50)
    assert bench.restarts, "no write-ahead log grew until it was begun again: let the lives be longer"
    assert (bench.lost > 0) == (level != "fsync"), "the cuts were too gentle, or took what was synced"
