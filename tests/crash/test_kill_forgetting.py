"""Who forgets an author may be killed at any moment: either nothing has happened, or it is made up for."""

import random
import shutil
from pathlib import Path

import pytest

from clasp_journal.entry import JournalEntry
from clasp_journal.forgetting import told_by
from clasp_journal.mirror import parity, verify_chain
from clasp_journal.restore import fold
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.authors import a_crowd
from clasp_journal.testing.samples import same_state
from tests.crash.killing import BEGIN, was_killed_at_work

ENTRIES = 15_000
LONGEST_S = 0.3
"""After that it is mostly done."""
CHILD = f"""
import asyncio, sys
from clasp_journal.sqlite.journal import SqliteJournal

async def forget(path, mirror):
    async with SqliteJournal(path, mirror=mirror) as journal:
        {BEGIN}
        await journal.forget("desk")

asyncio.run(forget(*sys.argv[1:]))
"""


async def survive_kills(folder: Path, *, rounds: int, seed: int) -> None:
    """Kill it at different moments, each time on a fresh copy, and look at both files."""
    rng, kept = random.Random(seed), a_crowd(ENTRIES)
    (folder / "whole").mkdir()
    async with SqliteJournal(folder / "whole/show.db", mirror=folder / "whole/show.jsonl") as journal:
        await journal.append(kept)
    killed = 0
    for number in range(rounds):
        path = shutil.copytree(folder / "whole", folder / str(number)) / "show.db"
        mirror = path.with_suffix(".jsonl")
        killed += was_killed_at_work(CHILD, str(path), str(mirror), after_s=rng.uniform(0, LONGEST_S))
        async with SqliteJournal(path, mirror=mirror) as journal:
            await must_be_all_or_nothing(journal, kept)
            assert (await parity(journal, mirror)).is_consistent
            assert (await journal.verify(full=False)).is_intact
        assert verify_chain(mirror).is_intact
        shutil.rmtree(path.parent)
    assert killed, "it was always done already"


async def must_be_all_or_nothing(journal: SqliteJournal, kept: list[JournalEntry]) -> None:
    """With an act nothing of the author is left, without one everything; the state is true either way."""
    acts = [entry for entry in await journal.query(after_seq=ENTRIES) if told_by(entry)]
    left = await journal.count(journal.query(author="desk").selection, after_seq=0, upto_seq=ENTRIES)
    assert left == (0 if acts else ENTRIES // 3)
    others = await journal.count(journal.query(author="wing").selection, after_seq=0, upto_seq=ENTRIES)
    assert others == ENTRIES // 3
    assert same_state(await journal.state(), fold(None, kept))


async def test_forgetting_survives_kill_minus_nine(tmp_path: Path) -> None:
    """Three kills."""
    await survive_kills(tmp_path, rounds=3, seed=6)


@pytest.mark.soak
async def test_forgetting_survives_sixty_kills(tmp_path: Path) -> None:
    """The same for sixty kills."""
    await survive_kills(tmp_path, rounds=60, seed=6_000)
