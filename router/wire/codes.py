"""The codes that answers carry, one table of each for the whole house: those of ERROR, those of JOURNAL_DONE.

Law: every code has its line for a person. The fault that the wire itself finds is here too.
"""

from __future__ import annotations

from enum import IntEnum

from clasp_journal.errors import BadInput


class ErrorCode(IntEnum):
    """What an ERROR message can say; each has one line for a person in `meaning`."""

    INVALID_FRAME = 100
    INVALID_MESSAGE = 101
    UNSUPPORTED_VERSION = 102
    INVALID_ADDRESS = 200
    ADDRESS_NOT_FOUND = 201
    INVALID_PATTERN = 202
    UNAUTHORIZED = 300
    FORBIDDEN = 301
    TOKEN_EXPIRED = 302
    REVISION_CONFLICT = 400
    LOCK_HELD = 401
    INVALID_VALUE = 402
    REFUSED = 403
    NO_SUCH_TARGET = 404
    TOO_MANY = 429
    INTERNAL = 500
    UNAVAILABLE = 501
    TIMEOUT = 502
    OVERLOADED = 503

    @property
    def meaning(self) -> str:
        """The code in words."""
        return _MEANINGS[self]


_MEANINGS = {
    ErrorCode.INVALID_FRAME: "the bytes are no frame",
    ErrorCode.INVALID_MESSAGE: "the payload is no message",
    ErrorCode.UNSUPPORTED_VERSION: "the protocol version is not spoken here",
    ErrorCode.INVALID_ADDRESS: "the text is no address",
    ErrorCode.ADDRESS_NOT_FOUND: "the address has no value",
    ErrorCode.INVALID_PATTERN: "the text is no pattern",
    ErrorCode.UNAUTHORIZED: "the token is missing or unknown",
    ErrorCode.FORBIDDEN: "the token does not permit this",
    ErrorCode.TOKEN_EXPIRED: "the token has expired",
    ErrorCode.REVISION_CONFLICT: "the param has another revision than expected",
    ErrorCode.LOCK_HELD: "another session holds the lock",
    ErrorCode.INVALID_VALUE: "the value is too large or out of range",
    ErrorCode.REFUSED: "a rule of this router refuses it",
    ErrorCode.NO_SUCH_TARGET: "the session it is meant for is not here",
    ErrorCode.TOO_MANY: "a limit of this router is reached",
    ErrorCode.INTERNAL: "the router failed",
    ErrorCode.UNAVAILABLE: "the router does not offer this",
    ErrorCode.TIMEOUT: "it took too long",
    ErrorCode.OVERLOADED: "the session or the router cannot take more",
}


class JournalStatus(IntEnum):
    """What JOURNAL_DONE says first; each has one line for a person in `meaning`."""

    DONE = 0
    UNKNOWN_VERB = 1
    BAD_ARGUMENTS = 2
    NOT_SUPPORTED = 3
    INCOMPLETE = 4
    FAILED = 5

    @property
    def meaning(self) -> str:
        """The status in words."""
        return _MEANINGS_OF_STATUS[self]


_MEANINGS_OF_STATUS = {
    JournalStatus.DONE: "it is done, and the map is its result",
    JournalStatus.UNKNOWN_VERB: "there is no such verb",
    JournalStatus.BAD_ARGUMENTS: "an argument is unknown, missing or of another type",
    JournalStatus.NOT_SUPPORTED: "this router, or its kind of journal, does not offer the verb yet",
    JournalStatus.INCOMPLETE: "the asked instant is no longer covered by the journal",
    JournalStatus.FAILED: "the journal could not do it; `reason` in the map says why",
}


class WireError(BadInput):
    """Bytes that are no frame (code 100) or no message (code 101)."""

    def __init__(self, reason: str, code: int = ErrorCode.INVALID_MESSAGE) -> None:
        super().__init__(reason)
        self.code = int(code)
