"""One thread, one connection, and jobs that run on it whole.

Law: a job has the connection to itself from its first statement to its last. Whoever waits for it may be
cancelled; the job is not, so no transaction is ever left half done.

A batch that is decoded in one thread and inserted in another loses a third of its speed to the
interpreter's lock; as one job it does not. aiosqlite calls `executemany` of its connection on its thread,
and sqlite3 lets the caller choose the connection's class: ours also accepts a job in place of rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import aiosqlite

from clasp_journal.errors import JournalClosed
from clasp_journal.sqlite.trouble import telling

T = TypeVar("T")


class _Errand(Generic[T]):
    """A job on its way to the thread, and its result on the way back."""

    result: T

    def __init__(self, job: Callable[[sqlite3.Connection], T]) -> None:
        self.job = job


class _JobConnection(sqlite3.Connection):
    """A connection that runs an errand where rows are expected."""

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        if isinstance(parameters, _Errand):
            parameters.result = parameters.job(self)
            return self.cursor()
        return super().executemany(sql, parameters)


class Worker:
    """A connection and its thread. Text arrives as bytes, which are checked before they are believed."""

    def __init__(self, path: str, connection: aiosqlite.Connection) -> None:
        self._path = path
        self._connection = connection
        self._closed = False

    @classmethod
    async def start(cls, path: str, mode: str) -> Worker:
        """Connect; `mode` is SQLite's: `ro`, or `rwc` to create what is missing."""
        with telling(path, "open"):
            connection = await aiosqlite.connect(
                f"file:{quote(path)}?mode={mode}",
                uri=True,
                isolation_level=None,
                factory=_JobConnection,
                cached_statements=256,
            )
            connection.text_factory = bytes
        return cls(path, connection)

    async def run(self, job: Callable[[sqlite3.Connection], T], operation: str) -> T:
        """What the job returns. Jobs run in the order in which this was called."""
        if self._closed:
            raise JournalClosed("the journal is closed", path=self._path, operation=operation)
        errand = _Errand(job)
        with telling(self._path, operation):
            await self._connection.executemany("", errand)
        return errand.result

    async def close(self) -> None:
        """Finish the jobs that wait, then end the thread."""
        if not self._closed:
            self._closed = True
            with telling(self._path, "close"):
                await self._connection.close()
