"""Whether files that are open are still what their names lead to.

The system, and SQLite, go on with files that were moved, removed or replaced as if nothing were wrong, and
whoever opens the journal next would find none of that. Law: what has lost its name takes no entries.
"""

from __future__ import annotations

import os
from contextlib import suppress

from clasp_journal.errors import JournalUnavailable


class Presence:
    """Files as they were when this was made; one that is not there then is not watched."""

    def __init__(self, *paths: str) -> None:
        self._identities: dict[str, tuple[int, int]] = {}
        for path in map(os.path.abspath, paths):
            with suppress(FileNotFoundError):
                self._identities[path] = _identity(path)

    def demand(self) -> None:
        """Refuse to go on, unless all of them are where they were."""
        for path, identity in self._identities.items():
            try:
                is_there = _identity(path) == identity
            except FileNotFoundError:
                is_there = False
            if not is_there:
                raise JournalUnavailable("it was moved, removed or replaced while it was open", path=path)


def _identity(path: str) -> tuple[int, int]:
    """What tells a file from one that later has its name."""
    told = os.stat(path)
    return told.st_dev, told.st_ino
