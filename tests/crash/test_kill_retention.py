"""Retention may be killed at any moment: what is gone is noted, and the next run ends what was begun."""

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.sqlite.journal import SqliteJournal
from tests.crash.model import assert_same_state, entry_at
from tests.crash.shim import PROJECT

ENTRIES, KEPT = 12_000, 300
PAUSE_MAX_S = 0.15
"""After that it is mostly done."""


def kill_at_work(path: Path, rng: random.Random) -> None:
    """Let a child begin to remove, and kill it a moment later."""
    command = [sys.executable, "-m", "tests.crash.thinning", str(path), str(KEPT)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"opened\n"
        time.sleep(rng.uniform(0, PAUSE_MAX_S))  # paced: the moment of the kill is what is tried
        child.kill()
        assert child.wait() in (-signal.SIGKILL, 0)


async def survive_kills(folder: Path, *, rounds: int) -> None:
    """Kill a run of retention on the same file again and again."""
    rng, whole = random.Random(rounds), [entry_at(seq)._replace(seq=0) for seq in range(1, ENTRIES + 1)]
    async with SqliteJournal(folder / "whole.db") as journal:
        await journal.append(whole)
        state = await journal.state()
    for number in range(rounds):
        path = folder / f"{number}.db"
        shutil.copy(folder / "whole.db", path)
        kill_at_work(path, rng)
        async with SqliteJournal(path) as journal:
            oldest = await journal.oldest_seq()
            assert noted_upto(await journal.since(0)) >= oldest - 1, "entries are gone, and nothing says so"
            assert_same_state(await journal.state(), state)
            await journal.retain(count=KEPT)
            assert await journal.len() <= KEPT
            assert noted_upto(await journal.since(0)) >= await journal.oldest_seq() - 1
            assert_same_state(await journal.state(), state)


def noted_upto(entries: list[JournalEntry]) -> int:
    """The last entry of which it is said that it was removed, with all before it."""
    upto = 0
    for entry in entries:
        if entry.kind == EntryKind.REMOVED:
            details = values.decode(entry.details or b"")
            assert isinstance(details, dict)
            assert isinstance(details["to"], int)
            upto = max(upto, details["to"])
    return upto


async def test_what_retention_removed_is_noted_whenever_it_is_killed(tmp_path: Path) -> None:
    """Three kills; `test_kill_anywhere` chooses its moments."""
    await survive_kills(tmp_path, rounds=3)


@pytest.mark.soak
async def test_what_retention_removed_is_noted_after_sixty_kills(tmp_path: Path) -> None:
    """Sixty kills."""
    await survive_kills(tmp_path, rounds=60)
