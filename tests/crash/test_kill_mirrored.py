"""A writer with a mirror may be killed at any moment: both sides have what it acknowledged, and agree.

After every kill the journal is looked at alone and made whole from the mirror; now and then another one is
made from the mirror alone. The next life opens both together.
"""

import random
from pathlib import Path

import pytest

from clasp_journal.mirror import parity, rebuild, verify_chain
from clasp_journal.sqlite.journal import SqliteJournal
from tests.crash.model import History, Model, check
from tests.crash.test_kill import kill_at_work


async def survive_kills(folder: Path, *, rounds: int, seed: int) -> None:
    """Kill a writer again and again, and look at both files each time."""
    rng, model, history = random.Random(seed), Model(), History()
    path, mirror = folder / "show.db", folder / "show.jsonl"
    files = 0
    for number in range(rounds):
        for line in kill_at_work(path, seed + number, rng, folder / "stderr", str(mirror)):
            history.take(line)
        files = max(files, len(list(folder.glob("show.jsonl.0*"))))
        if not mirror.exists() and not files:
            assert not history.acked, "something was acknowledged before there was a mirror"
            continue
        chain = verify_chain(mirror)
        assert chain.is_intact, chain.broken
        assert chain.last_seq >= history.acked, "an acknowledged entry is missing in the mirror"
        async with SqliteJournal(path) as journal:
            assert await journal.latest_seq() >= history.acked, "an acknowledged entry is missing"
            life = journal.epoch
            found = await parity(journal, mirror)
            assert not found.differing_count
            assert not found.missing_in_mirror.count
            done = await rebuild(journal, mirror)
            assert done.parity.is_consistent, done.parity
            assert journal.epoch == life, "what nobody has seen needs no new epoch"
            history.acked = await check(journal, history, floor=history.acked, model=model, rng=rng)
            entries = await journal.since(0)
        if rng.random() < 0.2 or number == rounds - 1:
            async with SqliteJournal(folder / f"fresh-{number}.db") as fresh:
                done = await rebuild(fresh, mirror)
                assert done.parity.is_consistent
                assert done.has_base
                came_back = await fresh.since(0)
                # A removal that was cut short is a removal for the mirror: it was told first.
                count = min(len(came_back), len(entries))
                assert came_back[-count:] == entries[-count:]
                assert await fresh.latest_seq() == history.acked
    assert history.acked > rounds, "hardly anything was appended: the rounds prove nothing"
    assert files or rounds < 5, "no kill came near a change of files"


async def test_both_sides_survive_kill_minus_nine(tmp_path: Path) -> None:
    """Six kills."""
    await survive_kills(tmp_path, rounds=6, seed=5)


@pytest.mark.soak
async def test_both_sides_survive_a_hundred_kills(tmp_path: Path) -> None:
    """The same for a hundred kills in a row."""
    await survive_kills(tmp_path, rounds=100, seed=5_000)
