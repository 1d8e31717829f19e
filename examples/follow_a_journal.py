"""Follow a journal that another process writes: what it has written, then what it writes, as it does.

    python examples/follow_a_journal.py

A reader needs no router and no lock: it opens the file read-only and never holds the writer up.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from clasp_journal import JournalEntry, open_journal

STEPS = 20
PAUSE_S = 0.02


async def write(url: str) -> None:
    """The writer: half of the fade is there before it says so, the rest comes step by step."""
    async with await open_journal(url) as journal:
        await journal.append(a_fade(range(STEPS // 2)))
        print("ready", flush=True)
        for step in range(STEPS // 2, STEPS):
            await asyncio.sleep(PAUSE_S)
            await journal.append(a_fade(range(step, step + 1)))


def a_fade(steps: range) -> list[JournalEntry]:
    """Some steps of a light that comes up."""
    return [
        JournalEntry.from_set("/light/1/level", step / (STEPS - 1), timestamp=time.time_ns() // 1_000)
        for step in steps
    ]


async def follow(url: str) -> None:
    """The reader: every entry once, in order, until the light is up."""
    async with await open_journal(url, read_only=True) as journal:
        history = await journal.latest_seq()
        async for entry in journal.tail(pattern="/light/**"):
            when = "history" if entry.seq <= history else "live"
            print(f"{when:>7} #{entry.seq} {entry.address} = {entry.value:.2f}")
            if entry.value == 1.0:
                return


async def main() -> None:
    """Start the writer in a process of its own and follow what it writes."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:{Path(folder) / 'show.db'}"
        writer = await asyncio.create_subprocess_exec(
            sys.executable, __file__, url, stdout=asyncio.subprocess.PIPE
        )
        assert writer.stdout is not None
        await writer.stdout.readline()
        await follow(url)
        await writer.wait()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1]) if sys.argv[1:] else main())
