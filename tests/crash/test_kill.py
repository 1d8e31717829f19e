"""A writer may be killed at any moment: what it acknowledged is there, and nothing is there twice.

The same file lives on through all rounds, as it would on a machine where the router keeps being killed.
"""

import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clasp_journal.sqlite.journal import SqliteJournal
from tests.crash.model import History, Model, check
from tests.crash.shim import PROJECT

SHARES = ("0.2", "0.03")
"""Of synced appends, and of upkeep."""
SILENCE_MAX_S = 60


def kill_at_work(path: Path, seed: int, rng: random.Random, errors: Path, *more: str) -> list[bytes]:
    """Let a child work for a random while, kill it, and return all that it told."""
    command = [sys.executable, "-m", "tests.crash.workload", str(path), str(seed), "0", *SHARES, *more]
    with (
        errors.open("wb") as stderr,
        subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=stderr) as child,
    ):
        assert child.stdout is not None
        told = b""
        if rng.random() < 0.2:
            pause_s = rng.uniform(0, 0.5)
        else:
            pause_s = rng.uniform(0, 0.005)
            lines = rng.randrange(1, 120)
            while told.count(b"\n") < lines:
                ready, _, _ = select.select([child.stdout], [], [], SILENCE_MAX_S)
                piece = os.read(child.stdout.fileno(), 65_536) if ready else b""
                assert piece, f"the child fell silent: {errors.read_text()}"
                told += piece
        time.sleep(pause_s)  # paced: the moment of the kill is what is tried
        child.kill()
        told += child.stdout.read()
        assert child.wait() == -signal.SIGKILL, errors.read_text()
    return told.splitlines()


async def survive_kills(folder: Path, *, rounds: int, seed: int) -> None:
    """Kill a writer again and again, and look at the file each time."""
    rng, model, history = random.Random(seed), Model(), History()
    path, life = folder / "show.db", ""
    for number in range(rounds):
        for line in kill_at_work(path, seed + number, rng, folder / "stderr"):
            history.take(line)
        async with SqliteJournal(path) as journal:
            await journal.open()
            life = life or history.epoch
            assert not life or journal.epoch == life, (
                "committed entries survive a kill, and so does the epoch"
            )
            latest = await check(journal, history, floor=history.acked, model=model, rng=rng)
        history.acked = latest
    assert history.acked > rounds, "hardly anything was appended: the rounds prove nothing"


async def test_what_was_acknowledged_survives_kill_minus_nine(tmp_path: Path) -> None:
    """Ten kills: every acknowledged entry once, in order, to the bit; no gap in the numbers, one epoch."""
    await survive_kills(tmp_path, rounds=10, seed=1)


@pytest.mark.soak
async def test_what_was_acknowledged_survives_a_hundred_kills(tmp_path: Path) -> None:
    """The same for a hundred kills in a row on one file."""
    await survive_kills(tmp_path, rounds=100, seed=1_000)
