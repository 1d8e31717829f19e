"""What the router and the journal's process say to each other, and how it is put into bytes.

Both ends are the same program and the same interpreter, so bodies may be in its own quick format.
"""

from __future__ import annotations

import logging
import marshal
import struct
import traceback
from enum import IntEnum
from typing import Any

from clasp_journal import errors
from clasp_journal.errors import JournalError


class Kind(IntEnum):
    """What kind of message it is."""

    # To the journal.
    OPEN = 1
    """Options; the first message."""
    PACKET = 2
    """u64 number | u8 synced | packet of the feed."""
    ASK = 3
    """u32 id | u8 question | arguments."""
    CANCEL = 4
    """u32 id."""
    STOP = 5
    # From the journal.
    STATE = 16
    """A page of params; before READY."""
    READY = 17
    COMMITTED = 18
    TROUBLE = 19
    RECOVERED = 20
    ANSWER = 21
    """u32 id | result."""
    ERROR = 22
    """u32 id | class and words of an error."""
    FAILED = 23
    """The journal could not be opened: class and words of an error; the last message."""
    LOG = 24
    """Level, logger and words of a line for the log."""
    VITALS = 25
    """The fields of `Vitals`."""
    WORKING = 26
    """A commit takes long, and has come further."""


class Question(IntEnum):
    """What the journal's process can be asked."""

    PAGE = 1
    HISTORY = 2
    DO = 3
    KEEP_SNAPSHOT = 4


PACKET_HEAD = struct.Struct(">Q?")
ID = struct.Struct(">I")
ASK_HEAD = struct.Struct(">IB")


def pack_plain(what: Any) -> bytes:
    """Plain things (numbers, texts, bytes, tuples, lists, dicts) as bytes."""
    return marshal.dumps(what)


def unpack_plain(data: bytes) -> Any:
    """The plain things that `pack_plain` made these bytes of."""
    return marshal.loads(data)


def describe_error(error: Exception) -> bytes:
    """An error on its way to the other side."""
    path = operation = None
    if isinstance(error, JournalError):
        path, operation = error.path, error.operation
    reason = error.reason if isinstance(error, JournalError) else str(error)
    return pack_plain((type(error).__name__, reason, path, operation))


def rebuild_error(described: bytes) -> JournalError:
    """The error again; what is not the journal's own becomes a plain `JournalError`."""
    name, reason, path, operation = unpack_plain(described)
    found = getattr(errors, name, None)
    if not (isinstance(found, type) and issubclass(found, JournalError)):
        found, reason = JournalError, f"{name}: {reason}"
    return found(reason, path=path, operation=operation)


def describe_line(record: logging.LogRecord) -> bytes:
    """A line for the log on its way to the router."""
    trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    return pack_plain((record.levelno, record.name, record.getMessage(), trace))


def log_line(described: bytes) -> None:
    """Put a line that came from the journal's process into the router's log."""
    level, name, words, trace = unpack_plain(described)
    logger = logging.getLogger(name)
    if logger.isEnabledFor(level):
        record = logger.makeRecord(name, level, "", 0, "%s", (words,), None)
        record.exc_text = trace or None
        logger.handle(record)
