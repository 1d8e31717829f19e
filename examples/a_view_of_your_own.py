"""A view of your own: how often each cue was called, in a table beside the entries.

    python examples/a_view_of_your_own.py

It is told each entry once, remembers how far it has come, and is the same when it is told everything again.
"""

import asyncio
import sqlite3
import tempfile
from pathlib import Path

from clasp_journal import EntryKind, JournalEntry, SqliteJournal
from clasp_journal.views import CellType, Column, Table, TableView, catch_up, replay

BEGAN_US = 1_700_000_000_000_000


class Cues(TableView):
    """How often each cue was called, and when last."""

    name = "cues"

    def __init__(self) -> None:
        super().__init__()
        calls, last = Column("calls", CellType.INTEGER), Column("last_us", CellType.INTEGER)
        self.table = Table("cues", (Column("cue", CellType.TEXT),), (calls, last))
        self.tables = (self.table,)

    def apply(self, entry: JournalEntry) -> None:
        """Count a call; everything else is none of its business."""
        if entry.kind == EntryKind.PUBLISH and entry.address == "/cue/go":
            key = (str(entry.value),)
            calls, _ = self.table.get(key) or (0, 0)
            self.table.put(key, (calls + 1, entry.timestamp))


def called(*cues: str) -> list[JournalEntry]:
    """Calls, one second after the other."""
    return [
        JournalEntry.from_publish("/cue/go", cue, author="desk", timestamp=BEGAN_US + second * 1_000_000)
        for second, cue in enumerate(cues)
    ]


async def main() -> None:
    """Write, catch up, write more, catch up; then ask the file with plain SQL."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "show.db"
        async with SqliteJournal(path) as journal:
            cues = journal.stored(Cues())
            await journal.append(called("preset", "curtain", "blackout"))
            print("seen up to", await catch_up(journal, cues))
            await journal.append(called("curtain", "curtain"))
            print("seen up to", await catch_up(journal, cues))
            as_it_came = await cues.rows()
            await replay(journal, cues)
            print("the same when replayed:", await cues.rows() == as_it_came)
        db = sqlite3.connect(path)
        for cue, calls in db.execute("SELECT cue, calls FROM view_cues ORDER BY calls DESC, cue"):
            print(f"{cue}: {calls}")
        db.close()


if __name__ == "__main__":
    asyncio.run(main())
