"""How the tool ends: one table of exit codes, and which error means which.

Law: whatever goes wrong is one clear line on stderr and a number that a script can rely on.
"""

from __future__ import annotations

from enum import IntEnum

from clasp_journal.cli.interrupts import INTERRUPTED
from clasp_journal.errors import BadInput, HistoryIncomplete, JournalCorrupt, JournalError, JournalLocked


class Exit(IntEnum):
    """The exit codes."""

    OK = 0
    NOTHING = 1
    """Nothing matched, and `--exit-empty` was given."""
    USAGE = 2
    UNREACHABLE = 3
    """The journal cannot be opened, the router not reached, or the result not written."""
    FORBIDDEN = 4
    DAMAGED = 5
    """The file is not what was written."""
    INCOMPLETE = 6
    """Part of what was asked for is gone."""
    REFUSED = 7
    """It would have changed something, and `--yes` was not given."""
    INTERRUPTED = INTERRUPTED


class Ending(Exception):
    """The end of a verb that did not end well: a code, and what stderr is told, if anything."""

    def __init__(self, code: Exit, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def ending_of(error: Exception) -> Ending | None:
    """What an error of the library means; None for one that is a fault of this program."""
    if isinstance(error, Ending):
        return error
    if isinstance(error, BadInput):
        return Ending(Exit.USAGE, f"{error}: {error.about}" if error.about else str(error))
    if isinstance(error, HistoryIncomplete):
        return Ending(Exit.INCOMPLETE, str(error))
    if isinstance(error, JournalCorrupt):
        return Ending(Exit.DAMAGED, str(error))
    if isinstance(error, JournalLocked) and "://" in error.reason:
        return Ending(Exit.UNREACHABLE, f"{error}; ask that router instead: --url")
    if isinstance(error, JournalError | OSError):
        return Ending(Exit.UNREACHABLE, str(error))
    return None
