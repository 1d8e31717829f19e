"""Giving an instant a name. `clasp_journal.analysis.marks` finds it again.

Laws: a mark is an entry of its own kind that never reaches subscribers; its name can be typed behind `mark:`
and shown on a terminal.
"""

from __future__ import annotations

import time

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import BadInput
from clasp_journal.journal import Journal
from clasp_journal.value import Value

NAME_MAX_CHARACTERS = 200
MESSAGE_MAX_BYTES = 10_000


async def mark(
    journal: Journal, name: str, message: str | None = None, *, at_us: int | None = None, author: str = ""
) -> int:
    """Name an instant, now if no other is given; returns the number of the entry."""
    return await journal.append(mark_entry(name, message, at_us=at_us, author=author))


def mark_entry(
    name: str, message: str | None = None, *, at_us: int | None = None, author: str = ""
) -> JournalEntry:
    """The entry that names an instant; `BadInput` if the name is none."""
    if not name or name != name.strip() or not name.isprintable() or len(name) > NAME_MAX_CHARACTERS:
        raise BadInput(f"{name!r} is no name for an instant; examples: doors-open, 'act 2', break")
    details: dict[str, Value] = {"mark": name}
    if message is not None:
        if len(message.encode()) > MESSAGE_MAX_BYTES:
            raise BadInput(f"the text of a mark has at most {MESSAGE_MAX_BYTES:,} bytes")
        details["message"] = message
    stamp = time.time_ns() // 1_000 if at_us is None else at_us
    return JournalEntry(stamp, author, "", EntryKind.MARK, details=values.encode(details))
