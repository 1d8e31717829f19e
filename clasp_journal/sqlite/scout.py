"""A process that reads the tail of a log while the one that forked it reads the snapshot before it.

Laws: it only reads, and only where its asker has opened the file already; it is forked before there are
threads, keeps nothing that its asker had open, and ends with its answer or with its asker. What it cannot
vouch for it does not tell: then whoever asked looks for themselves, and finds the damage, if that is what
it was.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import signal
import sqlite3
from collections.abc import Iterable
from typing import Self
from urllib.parse import quote

from clasp_journal.sqlite import plain_sets, schema
from clasp_journal.sqlite.changes import Changes
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.tail import ChangeSearch

WORTH_ENTRIES = 20_000
"""A shorter tail is read before a scout has got going."""


class Scout:
    """One process, for one question."""

    def __init__(self, pid: int, orders: int, reports: int) -> None:
        self._pid = pid
        self._orders = orders
        self._reports = reports
        self._span: Span | None = None

    @classmethod
    def fork(cls, foreign: Iterable[int]) -> Self:
        """Begin one, which waits. It closes these descriptors: others wait for their end."""
        hears, orders = os.pipe()
        reports, tells = os.pipe()
        pid = os.fork()
        if pid:
            os.close(hears)
            os.close(tells)
            return cls(pid, orders, reports)
        code = 1
        try:
            for descriptor in (orders, reports, *foreign):
                os.close(descriptor)
            _serve(hears, tells, os.getppid())
            code = 0
        finally:
            # Nothing of what the asker has on its stack is to be tidied up here.
            os._exit(code)

    def send(self, path: str, span: Span) -> None:
        """Let it find the changes in a span, if that is worth while."""
        if self._pid and self._span is None and span.upto_seq - span.after_seq >= WORTH_ENTRIES:
            with contextlib.suppress(OSError):
                os.write(self._orders, marshal.dumps((path, *span)))
                self._span = span
        self._close_orders()

    def covers(self, upto_seq: int) -> bool:
        """Whether it is on its way to exactly there."""
        return self._span is not None and self._span.upto_seq == upto_seq

    def recall(self) -> Changes | None:
        """What it has found, as soon as it has; None if it has not. It can be asked once."""
        told = _read_all(self._reports) if self._pid else b""
        if not self._reap() or not told:
            return None
        return Changes.rebuild(marshal.loads(told))

    def dismiss(self) -> None:
        """End it, whatever it is doing."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self._reap()

    def _reap(self) -> bool:
        """Wait for its end; tell whether it was a good one."""
        pid, self._pid, self._span = self._pid, 0, None
        if not pid:
            return False
        self._close_orders()
        os.close(self._reports)
        return os.waitpid(pid, 0)[1] == 0

    def _close_orders(self) -> None:
        """Let it know that it will be told no more."""
        if self._orders >= 0:
            os.close(self._orders)
            self._orders = -1


def _serve(hears: int, tells: int, asker: int) -> None:
    told = _read_all(hears)
    if not told:
        return
    path, *span = marshal.loads(told)
    search = ChangeSearch(Span(*span))
    with contextlib.closing(_connect(path)) as db:
        while not search.advance(db):
            if os.getppid() != asker:
                return
    with open(tells, "wb") as reports:
        reports.write(marshal.dumps(search.changes.described()))


def _connect(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, isolation_level=None)
    db.text_factory = bytes
    for setting in schema.READER_SETTINGS:
        db.execute(setting)
    plain_sets.prepare(db)
    return db


def _read_all(descriptor: int) -> bytes:
    with open(descriptor, "rb", closefd=False) as end:
        return end.read()
