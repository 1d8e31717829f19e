"""One remembered thing, and the kinds there are.

An entry keeps its value as it arrived, in CLASP bytes (`encoded`), so that two entries are equal when
and only when they are the same to the bit; `value` decodes it for a person or a program.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from clasp_journal import value as values
from clasp_journal.value import Value


class SignalType(IntEnum):
    """What a message is about. A param has a value that stays; the others pass by."""

    PARAM = 0
    EVENT = 1
    STREAM = 2
    GESTURE = 3
    TIMELINE = 4


class Phase(IntEnum):
    """Where in a gesture a message stands."""

    START = 0
    MOVE = 1
    END = 2
    CANCEL = 3


class EntryKind(IntEnum):
    """What an entry records: a message of the wire, or an act of the journal itself."""

    PUBLISH = 0x20
    SET = 0x21
    EXPIRE = 0xE0
    """A param outlived its TTL; `revision` is its last."""
    MARK = 0xE1
    """A person named this instant."""
    FORGET = 0xE2
    """The entries of one author were removed."""
    GAP = 0xE3
    """Journaling had stopped; `details` say from when to when and how many entries are missing."""
    REMOVED = 0xE4
    """Retention removed entries; `details` name the range and the rule."""


class JournalEntry(NamedTuple):
    """One entry. `seq` is 0 until a journal has given it a number.

    Times are microseconds since the Unix epoch. `author` is the subject of a token or a session id,
    `name` the name that client gave itself. `ttl` is the wire's word: 0 never, bit 31 absolute.
    """

    timestamp: int
    author: str
    address: str
    kind: EntryKind
    signal_type: SignalType | None = None
    encoded: bytes | None = None
    """The value as CLASP bytes; None where there is none (which is not null)."""
    revision: int | None = None
    seq: int = 0
    ttl: int | None = None
    samples: bytes | None = None
    """A block of big-endian 64-bit floats, as PUBLISH carries it."""
    rate: int | None = None
    gesture_id: int | None = None
    phase: Phase | None = None
    sent: int | None = None
    """The sender's own timestamp."""
    name: str | None = None
    details: bytes | None = None
    """An encoded map: what the journal's own kinds say."""

    @classmethod
    def from_set(
        cls, address: str, value: Value, *, author: str = "", timestamp: int, revision: int | None = None
    ) -> JournalEntry:
        """An entry for a SET of a Python value."""
        return cls(
            timestamp, author, address, EntryKind.SET, SignalType.PARAM, values.encode(value), revision
        )

    @classmethod
    def from_publish(
        cls,
        address: str,
        value: Value,
        *,
        author: str = "",
        timestamp: int,
        signal_type: SignalType = SignalType.EVENT,
    ) -> JournalEntry:
        """An entry for a PUBLISH of a Python value."""
        return cls(timestamp, author, address, EntryKind.PUBLISH, signal_type, values.encode(value))

    @property
    def msg_type(self) -> int:
        """The wire's number for the kind."""
        return int(self.kind)

    @property
    def value(self) -> Value:
        """The value as a Python object; None where there is none."""
        return None if self.encoded is None else values.decode(self.encoded)


class ParamSnapshot(NamedTuple):
    """What is known of one param, or, if `encoded` is None, the tombstone of a forgotten one."""

    address: str
    encoded: bytes | None
    revision: int
    writer: str
    timestamp: int
    ttl: int | None = None

    @property
    def value(self) -> Value:
        """The value as a Python object; None for a tombstone, too."""
        return None if self.encoded is None else values.decode(self.encoded)

    @property
    def is_tombstone(self) -> bool:
        """Whether the param is gone and only its last revision is remembered."""
        return self.encoded is None


TTL_NEVER = 0
_TTL_ABSOLUTE = 0x8000_0000


def ttl_is_absolute(word: int) -> bool:
    """Whether a TTL word counts from the last write, not from the last use."""
    return bool(word & _TTL_ABSOLUTE)


def ttl_s(word: int) -> int:
    """The seconds of a TTL word."""
    return word & ~_TTL_ABSOLUTE


def sliding_ttl(seconds: int) -> int:
    """The word for a life of some seconds after the last use."""
    return seconds


def absolute_ttl(seconds: int) -> int:
    """The word for a life of some seconds after the last write."""
    return seconds | _TTL_ABSOLUTE
