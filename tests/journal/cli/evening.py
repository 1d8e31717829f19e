"""A short evening of which every entry is known, in a file."""

import json
from pathlib import Path

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.sqlite.journal import SqliteJournal

BEGAN_US = 1_763_755_200_000_000
"""2025-11-21T20:00:00Z"""
SECOND_US = 1_000_000
FILE = "evening.db"


def at(second: float) -> int:
    """An instant of the evening."""
    return BEGAN_US + int(second * SECOND_US)


def entries() -> list[JournalEntry]:
    """A fader that moves for a minute, a cue that comes late, a mark, a meter, an expiry."""
    evening = []
    for second in range(60):
        evening.append(
            JournalEntry.from_set(
                "/lights/1/level",
                second / 60,
                author="session-a",
                timestamp=at(second),
                revision=second + 1,
            )._replace(name="desk")
        )
        if second % 2 == 0:
            evening.append(
                JournalEntry.from_publish(
                    "/meters/main",
                    [second, 0.5],
                    author="session-b",
                    timestamp=at(second + 0.25),
                    signal_type=SignalType.STREAM,
                )
            )
        if second % 20 == 0:
            evening.append(
                JournalEntry.from_set(
                    "/lights/2/level",
                    "steady",
                    author="session-c",
                    timestamp=at(second + 0.5),
                    revision=second // 20 + 1,
                )
            )
    evening.append(JournalEntry.from_publish("/cue/go", None, author="session-c", timestamp=at(63)))
    details = values.encode({"mark": "doors-open", "message": "at last"})
    evening.append(JournalEntry(at(64), "session-c", "", EntryKind.MARK, details=details))
    evening.append(JournalEntry(at(65), "", "/lights/2/level", EntryKind.EXPIRE, revision=3))
    return evening


async def write(folder: Path) -> Path:
    """The evening in a file."""
    path = folder / FILE
    async with SqliteJournal(path) as journal:
        await journal.append(entries())
    return path


def lines(text: str) -> list[dict]:
    """The records of JSON lines."""
    return [json.loads(line) for line in text.splitlines()]
