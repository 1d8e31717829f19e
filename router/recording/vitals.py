"""The journal's figures: what its process tells the router about once a second, when something has changed.

Law: the numbers of one life of that process only grow; a new life begins at nothing.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from typing import Any, NamedTuple, Protocol, runtime_checkable

from clasp_journal.journal import Journal

LOOK_S = 1.0
COMMIT_BOUNDS_S = (0.001, 0.005, 0.02, 0.1, 0.5, 2.5)
"""The upper bounds by which commits are sorted; beyond the last there is one more place."""


class Commits(NamedTuple):
    """How many commits took how long."""

    counts: tuple[int, ...] = (0,) * (len(COMMIT_BOUNDS_S) + 1)
    total_s: float = 0.0


class Vitals(NamedTuple):
    """The facts; plain things, since they travel through a pipe."""

    oldest_seq: int = 0
    latest_seq: int = 0
    file_bytes: int = 0
    wal_bytes: int = 0
    snapshot_us: int = 0
    """When the last snapshot was taken, or this life began."""
    committed: Commits = Commits()
    """Appends that were committed."""
    synced: Commits = Commits()
    """Those that were on the disk, too, when they counted as done."""


class Stopwatch:
    """Collects how long commits take."""

    def __init__(self) -> None:
        self.started_us = time.time_ns() // 1_000
        self._counts = {synced: [0] * (len(COMMIT_BOUNDS_S) + 1) for synced in (False, True)}
        self._totals_s = {False: 0.0, True: 0.0}

    def note(self, took_s: float, *, synced: bool) -> None:
        """Take note of one commit."""
        self._counts[synced][bisect_left(COMMIT_BOUNDS_S, took_s)] += 1
        self._totals_s[synced] += took_s

    def commits(self, *, synced: bool) -> Commits:
        """All commits so far."""
        return Commits(tuple(self._counts[synced]), self._totals_s[synced])


@runtime_checkable
class HasFile(Protocol):
    """A journal that lies in a file."""

    path: str


async def look(journal: Journal, stopwatch: Stopwatch, snapshot_us: int) -> Vitals:
    """The vitals at this moment; `JournalError` if the journal cannot tell."""
    path = journal.path if isinstance(journal, HasFile) else None
    return Vitals(
        await journal.oldest_seq(),
        await journal.latest_seq(),
        _size_bytes(path),
        _size_bytes(path and f"{path}-wal"),
        snapshot_us or stopwatch.started_us,
        stopwatch.commits(synced=False),
        stopwatch.commits(synced=True),
    )


def rebuild(plain: Any) -> Vitals:
    """Vitals that came through a pipe."""
    vitals = Vitals(*plain)
    return vitals._replace(committed=Commits(*vitals.committed), synced=Commits(*vitals.synced))


def _size_bytes(path: str | None) -> int:
    try:
        return os.stat(path).st_size if path else 0
    except OSError:
        return 0
