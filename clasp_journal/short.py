"""Entries told in short, for whoever appends very many.

Most entries of a busy journal are a float and nothing besides. `ShortEntries` are entries like any other
iterable of them; a backend that would rather have those in few words asks for `short`.

Law: both ways tell the same entries, in the same order.
"""

from __future__ import annotations

import struct
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import NamedTuple, final

from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.value import ValueType

_SET, _PUBLISH, _PARAM = EntryKind.SET, EntryKind.PUBLISH, SignalType.PARAM
_SIGNALS = tuple(SignalType)
_NOTHING = (None,) * 7
_F64 = struct.Struct(">Bd")
_F64_TAG = int(ValueType.F64)


@final
class Plain(NamedTuple):
    """A SET with a revision, or a PUBLISH without one, of a float that is a number, and nothing unusual."""

    timestamp: int
    author: str
    name: str | None
    address: str
    signal: int
    """The number of a SignalType."""
    number: float
    revision: int | None

    def whole(self) -> JournalEntry:
        """The entry that this tells in short."""
        timestamp, author, name, address, signal, number, revision = self[:]
        # Made without its class's constructor, which takes three times as long.
        # fmt: off
        return tuple.__new__(
            JournalEntry,
            (timestamp, author, address, _PUBLISH if revision is None else _SET, _SIGNALS[signal],
             _F64.pack(_F64_TAG, number), revision, 0, None, None, None, None, None, None, name, None),
        )
        # fmt: on


def in_short(entry: JournalEntry) -> Plain | None:
    """The entry in short, without its number; None if that would not tell all of it."""
    # An exact tuple unpacks several times as fast as a named one.
    # fmt: off
    (timestamp, author, address, kind, signal, encoded, revision, _,
     ttl, samples, rate, gesture_id, phase, sent, name, details) = entry[:]
    # fmt: on
    rest = ttl, samples, rate, gesture_id, phase, sent, details
    if encoded is None or len(encoded) != _F64.size or rest != _NOTHING:
        return None
    if kind is _SET and signal is _PARAM and revision is not None:
        code = 0
    elif kind is _PUBLISH and signal is not None and revision is None:
        code = int(signal)
    else:
        return None
    tag, number = _F64.unpack(encoded)
    if tag != _F64_TAG or number != number:
        return None
    return tuple.__new__(Plain, (timestamp, author, name, address, code, number, revision))


class ShortEntries(Iterable[JournalEntry]):
    """Entries that can be had in short."""

    @abstractmethod
    def short(self) -> Iterator[JournalEntry | Plain]:
        """All of them, as a `Plain` where that says everything."""

    def __iter__(self) -> Iterator[JournalEntry]:
        for entry in self.short():
            yield entry.whole() if isinstance(entry, Plain) else entry
