"""Whatever is done to a journal, it may be killed after each call that changes a file.

A kill keeps what was written. So from the log of the shim the files after each call are known, and no luck is
needed to hit one moment in hundreds; kills of real processes are in the other modules.
"""

import random
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from clasp_journal.forgetting import told_by
from clasp_journal.journal import Journal
from clasp_journal.mirror import parity, verify_chain
from clasp_journal.restore import fold
from clasp_journal.testing.authors import a_crowd
from clasp_journal.testing.samples import same_state
from tests.crash import acts
from tests.crash.acts import COUNT, FILE, KEPT, MIRROR, journal_in
from tests.crash.disk import Act, Disk, Record, read_log
from tests.crash.model import Model, entry_at
from tests.crash.shim import Shim, run_child
from tests.crash.test_kill_retention import noted_upto
from tests.crash.test_power_cut import write_files

SAMPLE = 10
"""Moments of each act that the ordinary run tries."""
MODEL = Model()


async def must_have_all(journal: Journal) -> None:
    """What was there before, and what was appended since, up to some append."""
    latest = await journal.latest_seq()
    assert latest >= COUNT
    assert (latest - COUNT) % acts.BATCH == 0, "all of an append, or none"
    assert await journal.since(0) == MODEL.entries(1, latest)
    assert same_state(await journal.state(), MODEL.state(latest))
    assert await journal.append(entry_at(latest + 1)._replace(seq=0)) == latest + 1


async def must_have_noted(journal: Journal) -> None:
    """What is gone is said to have been removed; the state stays, and the next run ends what was begun."""
    for _ in range(2):
        told = await journal.since(0)
        oldest = await journal.oldest_seq()
        assert noted_upto(told) >= oldest - 1
        assert [entry for entry in told if entry.seq <= COUNT] == MODEL.entries(oldest, COUNT)
        assert same_state(await journal.state(), MODEL.state(COUNT))
        await journal.retain(count=KEPT)
    assert await journal.len() <= KEPT


async def must_be_all_or_nothing(journal: Journal) -> None:
    """With an act of forgetting nothing of the author is left, without one everything."""
    is_told = any(told_by(entry) for entry in await journal.query(after_seq=COUNT))
    for author, is_left in (("desk", not is_told), ("wing", True)):
        chosen = journal.query(author=author).selection
        wanted = sum(entry.author == author for entry in a_crowd(COUNT)) if is_left else 0
        assert await journal.count(chosen, after_seq=0, upto_seq=COUNT) == wanted
    assert same_state(await journal.state(), fold(None, a_crowd(COUNT)))


class Trial(NamedTuple):
    """How an act begins, and what has to hold whenever it was cut."""

    begin: Callable[[Path], Awaitable[None]]
    judge: Callable[[Journal], Awaitable[None]]
    file: str = FILE


TRIALS = {
    "append": Trial(acts.begin, must_have_all),
    "begin a mirror": Trial(acts.begin_without_a_mirror, must_have_all),
    "retain": Trial(acts.begin, must_have_noted),
    "forget": Trial(acts.begin_with_a_crowd, must_be_all_or_nothing),
    "bring back": Trial(acts.begin, must_have_all, f"again-{FILE}"),
}
ACT_OF = {"begin a mirror": "append", "bring back": "bring_back"}


class Bench:
    """One act, and what is left when it is killed."""

    def __init__(self, shim: Shim, folder: Path, name: str) -> None:
        self._shim = shim
        self._folder = folder
        self._act = ACT_OF.get(name, name)
        self._trial = TRIALS[name]
        self._before: dict[str, bytes] = {}
        self.records: list[Record] = []

    async def record(self) -> None:
        """Let it be done once, to its end."""
        home, log = self._folder / "life", self._folder / "log"
        home.mkdir()
        await self._trial.begin(home)
        self._before = {path.name: path.read_bytes() for path in home.iterdir()}
        run_child("tests.crash.acts", self._act, str(home), environment=self._shim.environment(home, log=log))
        self.records = read_log(log)

    def moments(self) -> list[int]:
        """How many records may have happened: a kill after a sync is one before it."""
        return [at for at, record in enumerate(self.records, 1) if record.act not in (Act.SYNC, Act.OPEN)]

    async def kill_after(self, count: int) -> None:
        """See whether it holds what it has to, and whether both sides agree."""
        disk, home = Disk(self._before), self._folder / "after"
        disk.do(self.records[:count])
        write_files(home, disk.seen())
        try:
            await self._judge(home)
        except Exception as error:
            error.add_note(f"killed after call {count}: {self.records[count - 1]}"[:200])
            raise
        shutil.rmtree(home)

    async def _judge(self, home: Path) -> None:
        file = self._trial.file
        if file != FILE:
            # A second attempt finds what the first has left.
            await acts.bring_back(home)
        async with journal_in(home, file=file, is_mirrored=file == FILE) as journal:
            await self._trial.judge(journal)
            assert (await journal.verify()).problems == []
            assert file != FILE or (await parity(journal, home / MIRROR)).is_consistent
        assert verify_chain(home / MIRROR).is_intact


async def survive(bench: Bench, moments: Sequence[int]) -> None:
    """Kill it at each of these moments."""
    for count in moments:
        await bench.kill_after(count)


@pytest.mark.parametrize("name", TRIALS)
async def test_a_kill_at_some_call_breaks_no_promise(shim: Shim, tmp_path: Path, name: str) -> None:
    """A few moments of each act."""
    bench = Bench(shim, tmp_path, name)
    await bench.record()
    await survive(bench, sorted(random.Random(name).sample(bench.moments(), SAMPLE)))


@pytest.mark.soak
@pytest.mark.parametrize("name", TRIALS)
async def test_a_kill_at_any_call_breaks_no_promise(shim: Shim, tmp_path: Path, name: str) -> None:
    """Every moment of each act."""
    bench = Bench(shim, tmp_path, name)
    await bench.record()
    await survive(bench, bench.moments())
