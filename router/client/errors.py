"""What can go wrong for a client: refused, lost, unanswered, or too slow."""

from __future__ import annotations

from router.wire.codes import ErrorCode
from router.wire.messages import Error


class ClientError(Exception):
    """A call did not do what was asked."""


class ConnectionLost(ClientError, ConnectionError):
    """There is no connection, or it ended before the answer: the call may or may not have had effect."""


class NoAnswer(ClientError, TimeoutError):
    """The router is connected and said nothing in time; the call may or may not have had effect."""


class Overflow(ClientError):
    """The program took its messages too slowly, and the oldest were dropped."""


class Refused(ClientError):
    """The router said no; `code` is one of `router.wire.codes.ErrorCode`, or what the router made up."""

    def __init__(self, code: int, reason: str, address: str | None = None) -> None:
        super().__init__(code, reason, address)
        self.code = code
        self.reason = reason
        self.address = address

    def __str__(self) -> str:
        where = f" {self.address}" if self.address else ""
        return f"{self.code}{where}: {self.reason}"

    @classmethod
    def from_error(cls, error: Error) -> Refused:
        """The exception for an ERROR message."""
        return cls(error.code, error.message, error.address)


class JournalRefused(Refused):
    """The journal did not do what JOURNAL_DO asked; `status` is one of
    `router.wire.codes.JournalStatus`, or what the router made up."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(ErrorCode.INTERNAL, reason)
        self.status = status
