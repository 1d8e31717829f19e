"""What can go wrong, in two trees that never mix.

`BadInput` is the peer's fault: it carries the CLASP error code with which it is answered.
`JournalError` is ours, or the disk's: it says what was attempted, on which file, and why it failed.
"""

from __future__ import annotations


class BadInput(ValueError):
    """Something that a peer sent breaks a rule of the protocol."""

    code = 101

    def __init__(self, reason: str, about: str | None = None) -> None:
        super().__init__(reason)
        self.about = about
        """The address or pattern that it is about, if it is about one."""


class BadValue(BadInput):
    """Bytes that are no CLASP value, or an object that has no CLASP bytes."""


class AddressError(BadInput):
    """A text that is no address."""

    code = 200


class PatternError(BadInput):
    """A text that is no pattern."""

    code = 202


class JournalError(Exception):
    """The journal could not do what was asked."""

    def __init__(self, reason: str, *, path: str | None = None, operation: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path
        self.operation = operation

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        doing = f"{self.operation}: " if self.operation not in (None, "open") else ""
        return f"{where}{doing}{self.reason}"


class JournalUnavailable(JournalError):
    """It cannot be opened or written now: missing, locked, read-only, full, or the disk fails."""


class JournalLocked(JournalUnavailable):
    """Another process is its writer; the text names that process."""


class JournalCorrupt(JournalError):
    """What is on disk is not what was written."""

    def __init__(
        self,
        reason: str,
        *,
        path: str | None = None,
        operation: str | None = None,
        first_bad_seq: int | None = None,
    ) -> None:
        super().__init__(reason, path=path, operation=operation)
        self.first_bad_seq = first_bad_seq


class JournalTooNew(JournalError):
    """A newer version of this program wrote it; this one would not understand it."""


class JournalClosed(JournalError):
    """It was closed before the call."""


class HistoryIncomplete(JournalError):
    """The asked instant or range is no longer, or not wholly, covered."""
