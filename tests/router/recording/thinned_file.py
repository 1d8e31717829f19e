"""A file that another process thins, seen from here."""

import asyncio

from clasp_journal.entry import EntryKind
from clasp_journal.selection import EVERYTHING, Selection
from clasp_journal.sqlite import SqliteJournal
from clasp_journal.thinned import told_by, was_thinned

LOOK_S = 0.02
"""Between two looks: blanks announce themselves to nobody."""
REMOVED = Selection(EVERYTHING, kinds=frozenset((int(EntryKind.REMOVED),)))


async def until_thinned(path, rules):
    """Wait until acts of so many rules are carried out; those acts, by rule."""
    async with asyncio.timeout(30), SqliteJournal(path, read_only=True) as journal:
        while True:
            latest_seq = await journal.latest_seq()
            found = await journal.page(REMOVED, 0, latest_seq, latest_seq + 1)
            acts = {act.rule: act for entry in found if (act := told_by(entry))}
            wanted = sum(act.entries for entry in found if (act := told_by(entry)))
            if len(acts) >= rules and sum(map(was_thinned, found)) == wanted:
                return acts
            await asyncio.sleep(LOOK_S)  # paced: another process writes
