"""Who thins a journal may be killed at any moment: the next run ends what this one began."""

import random
import shutil
from pathlib import Path

import pytest

from clasp_journal.restore import fold
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.samples import same_state
from clasp_journal.thinned import told_by, was_thinned
from tests.crash.killing import BEGIN, was_killed_at_work
from tests.journal.sqlite.test_thinning import LAST_US, SAMPLED, a_past

ENTRIES = 15_000
LONGEST_S = 0.25
"""After that it is mostly done."""
CHILD = f"""
import asyncio, sys
from clasp_journal.rules import Rules, parse_rules
from clasp_journal.sqlite.journal import SqliteJournal

async def thin(path, rules, before_us):
    async with SqliteJournal(path) as journal:
        {BEGIN}
        await journal.thin(Rules(parse_rules(rules)), before_us=int(before_us))

asyncio.run(thin(*sys.argv[1:]))
"""


async def survive_kills(folder: Path, *, rounds: int, seed: int) -> None:
    """Kill it at different moments, each time on a fresh copy, and compare with one that was left alone."""
    rng, kept = random.Random(seed), a_past(ENTRIES, step_us=1_000)
    async with SqliteJournal(folder / "whole.db") as journal:
        await journal.append(kept)
    shutil.copy(folder / "whole.db", folder / "thinned.db")
    async with SqliteJournal(folder / "thinned.db") as journal:
        await journal.thin(SAMPLED, before_us=LAST_US)
        wanted = await journal.query(limit=ENTRIES)
    killed = 0
    for _ in range(rounds):
        path = folder / "killed.db"
        shutil.copy(folder / "whole.db", path)
        pause_s = rng.uniform(0, LONGEST_S)
        killed += was_killed_at_work(CHILD, str(path), str(SAMPLED), str(LAST_US), after_s=pause_s)
        async with SqliteJournal(path) as journal:
            await must_be_explained(journal)
            assert same_state(await journal.state(), fold(None, kept))
            assert (await journal.verify(full=False)).problems == []
            await journal.thin(SAMPLED, before_us=LAST_US)
            assert await journal.query(limit=ENTRIES) == wanted
        for file in folder.glob("killed.db*"):
            file.unlink()
    assert killed, "it was always done already"


async def must_be_explained(journal: SqliteJournal) -> None:
    """No blank is there without an act that holds for it."""
    acts = [act for entry in await journal.query(after_seq=ENTRIES) if (act := told_by(entry))]
    for blank in filter(was_thinned, await journal.query(limit=ENTRIES)):
        assert any(act.holds_for(blank.address) for act in acts), blank


async def test_thinning_survives_kill_minus_nine(tmp_path: Path) -> None:
    """Three kills."""
    await survive_kills(tmp_path, rounds=3, seed=8)


@pytest.mark.soak
async def test_thinning_survives_sixty_kills(tmp_path: Path) -> None:
    """The same for sixty kills."""
    await survive_kills(tmp_path, rounds=60, seed=8_000)
