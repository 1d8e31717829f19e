"""The child that is killed while it removes old entries: `python -m tests.crash.thinning PATH KEPT`."""

import asyncio
import os
import sys

from clasp_journal.sqlite.journal import SqliteJournal


async def thin(path: str, kept: int) -> None:
    """Tell that the journal is open, and keep so many entries of it."""
    journal = await SqliteJournal(path).open()
    os.write(1, b"opened\n")
    await journal.retain(count=kept)
    os.write(1, b"done\n")
    await journal.close()


if __name__ == "__main__":
    asyncio.run(thin(sys.argv[1], int(sys.argv[2])))
