"""A journal in a file: write, ask, go back in time, make room.

python examples/journal_basics.py
"""

import asyncio
import tempfile
import time
from pathlib import Path

from clasp_journal import JournalEntry, SignalType, diff, open_journal


def now_us() -> int:
    """Journals keep wall time in microseconds."""
    return time.time_ns() // 1_000


async def main() -> None:
    """The life of a small journal."""
    with tempfile.TemporaryDirectory() as folder:
        # `memory:` in place of the file gives the same journal without a disk.
        async with await open_journal(f"sqlite:{Path(folder) / 'show.db'}") as journal:
            # One entry or many in a call; on return they are committed, all of them or none.
            await journal.append(
                [
                    JournalEntry.from_set("/light/1/level", 0.2, author="desk", timestamp=now_us()),
                    JournalEntry.from_set("/light/2/level", 0.9, author="desk", timestamp=now_us()),
                    JournalEntry.from_set("/light/2/colour", "amber", author="desk", timestamp=now_us()),
                ]
            )
            before_cue = await journal.append(
                JournalEntry.from_publish("/cue/go", {"number": 7}, author="operator", timestamp=now_us())
            )
            await journal.append(
                JournalEntry.from_set("/light/1/level", 1.0, author="desk", timestamp=now_us())
            )

            # `*` is one segment, `**` any number. Await a query for a list, or stream it with `async for`.
            print("levels:")
            async for entry in journal.query("/light/*/level"):
                print(f"  #{entry.seq} {entry.address} = {entry.value}")

            events = await journal.query(types=[SignalType.EVENT])
            print("events:", [(entry.address, entry.value) for entry in events])

            latest = await journal.query("/light/**", limit=1, newest=True)
            print("latest:", latest[0].address, latest[0].value)

            # The state at any instant is the fold of the entries up to there.
            then, now = await journal.state(before_cue), await journal.state()
            for address, old, new in diff(then, now):
                print(f"since the cue: {address} from {old and old.value} to {new and new.value}")

            # Compacting keeps the state at the cut, so that later states can still be told.
            removed = await journal.compact(before_cue)
            print(f"compacted {removed} entries; {await journal.len()} are left")
            print("still known:", sorted((await journal.state()).live))


if __name__ == "__main__":
    asyncio.run(main())
