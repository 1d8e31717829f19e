"""An entry as a row, and back.

Law: what was appended is what is read, to the bit, or `JournalCorrupt` with the number of the first bad
entry.
"""

from __future__ import annotations

import json
import struct
from typing import Any, TypeAlias
from zlib import crc32

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry, Phase, SignalType
from clasp_journal.errors import BadValue, JournalCorrupt
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.checksum import BIAS, ENTRY_HEAD, rest_of_entry
from clasp_journal.sqlite.forms import encoded_of, readable

Row: TypeAlias = tuple[Any, ...]
"""The cells of a row in the order of its columns."""

UNBELIEVABLE = (struct.error, TypeError, KeyError, ValueError, OverflowError, IndexError)
"""What goes wrong when cells are taken for what they are not."""

_NO_SIGNAL = 255
NO_REVISION = -1
_KINDS: dict[int, Any] = {int(kind): kind for kind in EntryKind}
_SIGNALS: dict[int | None, Any] = {None: None, **{int(signal): signal for signal in SignalType}}
_PHASES: dict[int, Any] = {int(phase): phase for phase in Phase}


def entry_checksum(row: Row, encoded: bytes | None) -> int:
    """The checksum of an entry's row; the last cell, which holds it, is not looked at."""
    seq, timestamp, kind, signal, address_id, author_id, _, _, _, revision, ttl, samples, extra, _ = row
    head = ENTRY_HEAD.pack(
        seq,
        timestamp,
        address_id,
        author_id,
        kind,
        _NO_SIGNAL if signal is None else signal,
        NO_REVISION if revision is None else revision,
    )
    if encoded is not None and ttl is None and samples is None and extra is None:
        return crc32(head + encoded) - BIAS
    return crc32(rest_of_entry(encoded, ttl, samples, extra), crc32(head)) - BIAS


def check(row: Row) -> bytes | None:
    """The encoded value of a row that is what was written; its text cells are bytes."""
    try:
        encoded = encoded_of(row[6], row[7], row[8])
        if entry_checksum(row, encoded) == row[13]:
            return encoded
    except UNBELIEVABLE as error:
        raise _damaged(row) from error
    raise _damaged(row)


def entry_of(row: Row, catalog: Catalog) -> JournalEntry:
    """The entry that a row is."""
    encoded = check(row)
    try:
        author = catalog.authors[row[5]]
        address = catalog.addresses[row[4]]
    except UNBELIEVABLE as error:
        raise _damaged(row) from error
    kind: Any = _KINDS.get(row[2], row[2])
    entry = JournalEntry(
        row[1],
        author.subject,
        address,
        kind,
        _SIGNALS.get(row[3], row[3]),
        encoded,
        row[9],
        row[0],
        row[10],
        row[11],
        name=author.name,
    )
    return entry if row[12] is None else with_extra(entry, row[12])


def _damaged(row: Row) -> JournalCorrupt:
    return JournalCorrupt(f"entry {row[0]} is damaged", first_bad_seq=row[0])


def extra_of(entry: JournalEntry) -> str | None:
    """What an entry carries beyond the common, as JSON."""
    told: dict[str, Any] = {}
    for key, number in (("rate", entry.rate), ("gesture_id", entry.gesture_id), ("phase", entry.phase)):
        if number is not None:
            told[key] = int(number)
    if entry.sent is not None:
        told["sent"] = entry.sent
    if entry.details is not None:
        try:
            told["details"] = json.loads(readable(values.decode(entry.details)))
        except BadValue:
            told["details"] = None
        told["details_raw"] = entry.details.hex()
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) if told else None


def with_extra(entry: JournalEntry, extra: bytes) -> JournalEntry:
    """The entry with what its `extra` cell says."""
    told = json.loads(extra)
    phase = told.get("phase")
    details = told.get("details_raw")
    return entry._replace(
        rate=told.get("rate"),
        gesture_id=told.get("gesture_id"),
        phase=_PHASES.get(phase, phase),
        sent=told.get("sent"),
        details=None if details is None else bytes.fromhex(details),
    )
