"""What SQLite and the operating system complain about, told in the journal's own words.

Law: no error of theirs leaves this package; each is told with the path and what was attempted. A damaged
file is renamed, with what belongs to it, to a name that did not exist; nothing is overwritten.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from clasp_journal.errors import (
    JournalCorrupt,
    JournalError,
    JournalLocked,
    JournalUnavailable,
)

SIDECARS = ("", "-wal", "-shm")
"""The files that are one database."""

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNAVAILABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}
_IN_FOLDER = "SQLite needs a file beside it, also to read, and this user may not write in its folder"
_WORDS = {
    sqlite3.SQLITE_NOTADB: "this is no journal, or its beginning is damaged",
    sqlite3.SQLITE_READONLY: "this user may not write it",
    sqlite3.SQLITE_READONLY_ROLLBACK: (
        "a change to it was cut short, at its creation or an upgrade: whoever opens it next to write, like a "
        "router, takes that back; until then it cannot be read"
    ),
    sqlite3.SQLITE_READONLY_RECOVERY: _IN_FOLDER,
    sqlite3.SQLITE_READONLY_CANTINIT: _IN_FOLDER,
    sqlite3.SQLITE_READONLY_DIRECTORY: _IN_FOLDER,
    sqlite3.SQLITE_READONLY_DBMOVED: "it was moved or removed while it was open",
}
"""What SQLite calls a file that is no database, or an attempt to write a readonly one, whatever it is."""
_WAL_MAGICS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83", b"\0\0\0\0")
"""How a write-ahead log begins; zeros where power failed before its first page was written."""


@contextmanager
def telling(path: str, operation: str) -> Iterator[None]:
    """Translate the errors of a block."""
    try:
        yield
    except JournalError as error:
        error.path = error.path or path
        error.operation = error.operation or operation
        raise
    except sqlite3.Error as error:
        raise translated(error, path, operation) from error
    except UnicodeDecodeError as error:
        # SQLite tells of a damaged schema in words out of that schema.
        raise JournalCorrupt("a text in it is no text any more", path=path, operation=operation) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise JournalUnavailable(reason, path=path, operation=operation) from error


def is_damage(error: sqlite3.Error) -> bool:
    """Whether it says that the file is not what was written."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _CORRUPT


def translated(error: sqlite3.Error, path: str, operation: str) -> JournalError:
    """The journal's error for one of SQLite's."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    primary, reason = code & 0xFF, _WORDS.get(code, str(error))
    if is_damage(error):
        return JournalCorrupt(reason, path=path, operation=operation)
    if primary in _LOCKED:
        return JournalLocked(f"another program is using it: {reason}", path=path, operation=operation)
    if primary in _UNAVAILABLE:
        return JournalUnavailable(reason, path=path, operation=operation)
    return JournalError(reason, path=path, operation=operation)


def inspect_before_opening(path: str) -> None:
    """Refuse what SQLite would silently take for an empty database."""
    with telling(path, "open"):
        if os.path.isdir(path):
            raise JournalUnavailable("this is a directory", path=path, operation="open")
        if os.path.exists(path) and not os.path.isfile(path):
            # Opening a pipe would wait for somebody at its other end.
            raise JournalUnavailable("this is no file", path=path, operation="open")
        if os.path.exists(path) and not os.access(path, os.R_OK):
            raise JournalUnavailable("this user may not read it", path=path, operation="open")
        wal_size_bytes = _size_bytes(path + "-wal")
        if wal_size_bytes and not _size_bytes(path):
            raise JournalCorrupt("is empty, but has a write-ahead log", path=path, operation="open")
        if wal_size_bytes:
            with open(path + "-wal", "rb") as wal:
                magic = wal.read(4)
            if not any(known.startswith(magic) for known in _WAL_MAGICS):
                raise JournalCorrupt("the write-ahead log is damaged", path=path + "-wal", operation="open")


def has_wal(path: str) -> bool:
    """Whether there is a write-ahead log beside the database."""
    return _size_bytes(path + "-wal") > 0


def set_aside(path: str) -> str:
    """Rename a damaged database to `NAME.damaged-<utc time>`, and return the new name."""
    path = os.path.realpath(path)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    with telling(path, "set aside"):
        fresh = _fresh_name(f"{path}.damaged-{stamp}")
        # The database goes first: without it a write-ahead log is refused, but not the other way round.
        for suffix in SIDECARS:
            if os.path.lexists(path + suffix):
                os.rename(path + suffix, fresh + suffix)
    return fresh


def _fresh_name(wanted: str) -> str:
    name, count = wanted, 1
    while any(os.path.lexists(name + suffix) for suffix in SIDECARS):
        count += 1
        name = f"{wanted}-{count}"
    return name


def _size_bytes(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
