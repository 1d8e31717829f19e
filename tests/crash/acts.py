"""What is done to a journal with a mirror while it is killed: `python -m tests.crash.acts ACT FOLDER`.

Laws: an act begins with a journal that was closed in order, and may be done again after it was cut short.
"""

import asyncio
import sys
from pathlib import Path

from clasp_journal.mirror import MirrorOptions, rebuild
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.authors import a_crowd
from tests.crash.model import entry_at

FILE, MIRROR = "show.db", "show.jsonl"
COUNT, KEPT = 400, 60
BATCH = 40
SEGMENT_BYTES = 20_000
"""So small that an append of some entries begins another file."""


def journal_in(home: Path, *, file: str = FILE, is_mirrored: bool = True) -> SqliteJournal:
    """The journal of a folder, with its mirror."""
    mirror = MirrorOptions(str(home / MIRROR), segment_bytes=SEGMENT_BYTES, compress="gzip")
    return SqliteJournal(home / file, mirror=mirror if is_mirrored else None, on_corrupt="set_aside")


async def begin(home: Path) -> None:
    """What is there before an act."""
    async with journal_in(home) as journal:
        await journal.append([entry_at(seq)._replace(seq=0) for seq in range(1, COUNT + 1)])


async def begin_with_a_crowd(home: Path) -> None:
    """The same, with authors that can be forgotten."""
    async with journal_in(home) as journal:
        await journal.append(a_crowd(COUNT))


async def begin_without_a_mirror(home: Path) -> None:
    """A journal that has none yet."""
    async with journal_in(home, is_mirrored=False) as journal:
        await journal.append([entry_at(seq)._replace(seq=0) for seq in range(1, COUNT + 1)])


async def append(home: Path) -> None:
    """Some appends, which close some files of the mirror."""
    async with journal_in(home) as journal:
        last = await journal.latest_seq()
        for after in range(last, last + 5 * BATCH, BATCH):
            batch = [entry_at(after + n)._replace(seq=0) for n in range(1, BATCH + 1)]
            await journal.append(batch, synced=after % 2 == 0)


async def retain(home: Path) -> None:
    """Remove most of it."""
    async with journal_in(home) as journal:
        await journal.retain(count=KEPT)


async def forget(home: Path) -> None:
    """Forget an author."""
    async with journal_in(home) as journal:
        await journal.forget("desk")


async def bring_back(home: Path) -> None:
    """Make another journal from the mirror."""
    async with journal_in(home, file=f"again-{FILE}", is_mirrored=False) as journal:
        assert (await rebuild(journal, home / MIRROR)).parity.is_consistent


ACTS = {act.__name__: act for act in (append, retain, forget, bring_back)}


if __name__ == "__main__":
    asyncio.run(ACTS[sys.argv[1]](Path(sys.argv[2])))
