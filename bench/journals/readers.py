"""Somebody who reads the file of a live router as the tool does: the newest entries, the state, and a tail.

`python -m bench.journals.readers FILE` goes on until it is ended, and prints a line for each time round.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.servers.cores import LOAD_CORE, READER_CORE, pin
from clasp_journal.opening import open_journal

ROOT = Path(__file__).parents[2]
LATEST = 1_000
HAVE_A_CORE = READER_CORE != LOAD_CORE
"""Otherwise they share one with the load and the journal's process, and yield to both."""
YIELDING = 19


class Readers:
    """A context manager: all of that runs, away from the router."""

    def __init__(self, path: Path) -> None:
        self._command = [sys.executable, "-m", "bench.journals.readers", str(path)]
        self.times_round = 0
        """How often everything was read; known at the end."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=_keep_away,
        )
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise RuntimeError(f"the readers failed with exit code {self._process.wait()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self.times_round = 1 + self._process.communicate()[0].count("\n")


def _keep_away() -> None:
    pin(os.getpid(), READER_CORE)
    if not HAVE_A_CORE:
        os.nice(YIELDING)


async def read(path: str) -> None:
    """Read until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follow(path))
        while True:
            async with await open_journal(path, read_only=True) as journal:
                await journal.query("/**", limit=LATEST, newest=True)
                await journal.state()
            print("round", flush=True)


async def follow(path: str) -> None:
    """See everything that is appended."""
    async with await open_journal(path, read_only=True) as journal:
        async for _ in journal.tail(await journal.latest_seq()):
            continue


if __name__ == "__main__":
    asyncio.run(read(sys.argv[1]))
