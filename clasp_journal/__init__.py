"""The memory of a CLASP network: addresses, values, entries, and the journals that keep them.

    from clasp_journal import JournalEntry, open_journal

    async with await open_journal("sqlite:show.db") as journal:
        await journal.append(JournalEntry.from_set("/light/1", 0.8, author="me", timestamp=now_us))
        print(await journal.query("/light/**", limit=10))

A name is imported when it is first used: so words and contract need nothing installed, and a program waits
only for what it uses.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clasp_journal.address import Pattern, parse_address
    from clasp_journal.authors import Author
    from clasp_journal.entry import EntryKind, JournalEntry, ParamSnapshot, Phase, SignalType
    from clasp_journal.errors import (
        AddressError,
        BadInput,
        BadValue,
        HistoryIncomplete,
        JournalClosed,
        JournalCorrupt,
        JournalError,
        JournalLocked,
        JournalTooNew,
        JournalUnavailable,
        PatternError,
    )
    from clasp_journal.journal import Cursor, Fetched, Journal, Results
    from clasp_journal.memory import MemoryJournal
    from clasp_journal.opening import open_journal
    from clasp_journal.restore import Change, Snapshot, State, diff, fold
    from clasp_journal.selection import Selection
    from clasp_journal.sqlite import SqliteJournal

__all__ = [
    "AddressError",
    "Author",
    "BadInput",
    "BadValue",
    "Change",
    "Cursor",
    "EntryKind",
    "Fetched",
    "HistoryIncomplete",
    "Journal",
    "JournalClosed",
    "JournalCorrupt",
    "JournalEntry",
    "JournalError",
    "JournalLocked",
    "JournalTooNew",
    "JournalUnavailable",
    "MemoryJournal",
    "ParamSnapshot",
    "Pattern",
    "PatternError",
    "Phase",
    "Results",
    "Selection",
    "SignalType",
    "Snapshot",
    "SqliteJournal",
    "State",
    "diff",
    "fold",
    "open_journal",
    "parse_address",
]

_HOMES = {
    "AddressError": "errors",
    "Author": "authors",
    "BadInput": "errors",
    "BadValue": "errors",
    "Change": "restore",
    "Cursor": "journal",
    "EntryKind": "entry",
    "Fetched": "journal",
    "HistoryIncomplete": "errors",
    "Journal": "journal",
    "JournalClosed": "errors",
    "JournalCorrupt": "errors",
    "JournalEntry": "entry",
    "JournalError": "errors",
    "JournalLocked": "errors",
    "JournalTooNew": "errors",
    "JournalUnavailable": "errors",
    "MemoryJournal": "memory",
    "ParamSnapshot": "entry",
    "Pattern": "address",
    "PatternError": "errors",
    "Phase": "entry",
    "Results": "journal",
    "Selection": "selection",
    "SignalType": "entry",
    "Snapshot": "restore",
    "SqliteJournal": "sqlite",
    "State": "restore",
    "diff": "restore",
    "fold": "restore",
    "open_journal": "opening",
    "parse_address": "address",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
