"""From a text that names a journal to the journal.

    sqlite:show.db     the file show.db
    show.db            the same
    memory:            a ring in memory; memory:50000 says for how many entries

A backend is imported when it is first asked for.
"""

from __future__ import annotations

from typing import Any

from clasp_journal.errors import JournalUnavailable
from clasp_journal.journal import Journal


async def open_journal(place: str, **options: Any) -> Journal:
    """The open journal at a place; `options` are those of its backend.

    A place that names no journal raises `ValueError`; one that cannot be opened, a `JournalError`.
    """
    scheme, colon, rest = place.partition(":")
    if scheme == "memory" and colon:
        return _open_memory(rest, options)
    path = rest if scheme == "sqlite" and colon else place
    if not path:
        raise ValueError(f"{place!r} names no file")
    try:
        from clasp_journal.sqlite import SqliteJournal
    except ImportError as error:
        raise JournalUnavailable(f"journals in files need aiosqlite: {error}", path=path) from error
    return await SqliteJournal(path, **options).open()


def _open_memory(capacity: str, options: dict[str, Any]) -> Journal:
    from clasp_journal.memory import MemoryJournal

    if capacity:
        if not capacity.isdecimal() or not int(capacity):
            raise ValueError(f"memory:{capacity} says no number of entries")
        options["capacity"] = int(capacity)
    return MemoryJournal(**options)
