"""The journal in an SQLite file."""

from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.sqlite.trouble import set_aside

__all__ = ["SqliteJournal", "set_aside"]
