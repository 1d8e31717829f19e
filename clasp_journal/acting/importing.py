"""An export back in a journal.

Laws: an import is one transaction: a file with an entry that cannot be read, that does not fit, or that is
not the one its digest says, changes nothing, nor does an import that is interrupted. What was exported and is
imported is the same, to the bit, but for its number: the journal numbers the entries in the order of the
file, behind those that it has, in its own epoch. Entries that say what was removed or forgotten name numbers
of the journal in which that happened: they are marked as `imported`, so that nobody looks for these here.

With `Numbering.KEEP` the numbers are kept, too. Then they must be those that the journal would give next, or,
where it never had an entry, go on from the first without a gap.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

from clasp_journal import value as values
from clasp_journal.acting.reading import EntriesFile, ImportFault
from clasp_journal.acting.transfer import OnProgress
from clasp_journal.address import parse_address
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import BadInput, BadValue, JournalCorrupt, JournalUnavailable
from clasp_journal.forgetting import IMPORTED
from clasp_journal.journal import Journal
from clasp_journal.jsonl import entry_of
from clasp_journal.mirror.digests import digest_of_entry
from clasp_journal.mirror.lines import body_of
from clasp_journal.mirror.rebuilding import Origin, Rebuildable

REPORT_EVERY_ENTRIES = 500
INTEGER_MAX = (1 << 63) - 1

_MESSAGES = (EntryKind.SET, EntryKind.PUBLISH)
_ABOUT_NUMBERS = (EntryKind.FORGET, EntryKind.REMOVED)


class Numbering(Enum):
    """What becomes of the numbers in a file."""

    RENUMBER = "renumber"
    KEEP = "keep"


class Imported(NamedTuple):
    """The numbers that the entries have."""

    first_seq: int
    last_seq: int

    @property
    def entries(self) -> int:
        """How many entries were imported."""
        return self.last_seq - self.first_seq + 1


async def import_entries(
    journal: Journal,
    path: str,
    *,
    numbering: Numbering = Numbering.RENUMBER,
    on_progress: OnProgress | None = None,
) -> Imported:
    """Append what was exported; `ImportFault` if the file is not wholly an export, or does not fit."""
    before = await journal.latest_seq()
    reading = _Reading(path, on_progress)
    try:
        if numbering is Numbering.RENUMBER:
            return Imported(before + 1, await journal.append(map(_as_imported, reading.entries())))
        first_seq = before + 1 if before else await asyncio.to_thread(reading.first_seq)
        numbered = reading.numbered(first_seq)
        if first_seq == before + 1:
            return Imported(first_seq, await journal.append(numbered))
        return Imported(first_seq, await _insert(journal, numbered))
    except asyncio.CancelledError:
        # The thread that reads would go on to the end, and the import would be made after all. What is
        # appended next waits until it has been taken back.
        reading.stopped.set()
        await journal.append(())
        raise
    except (BadValue, OSError, UnicodeEncodeError) as fault:
        raise ImportFault(path, reading.file.line, str(fault)) from fault


async def _insert(journal: Journal, entries: Iterator[JournalEntry]) -> int:
    """Put the first entries of an empty journal under numbers that do not begin with 1."""
    if not isinstance(journal, Rebuildable):
        raise JournalUnavailable(f"{type(journal).__name__} begins with entry 1", operation="import")
    bodies = ((entry.seq, body_of(entry, entry.seq).encode()) for entry in entries)
    try:
        await journal.insert_missing(bodies, Origin("", journal.epoch, 0))
    except JournalCorrupt as error:
        if isinstance(error.__cause__, ImportFault):
            raise error.__cause__ from None
        raise
    return await journal.latest_seq()


class _Stopped(Exception):
    """The import was cancelled."""


class _Reading:
    """A file on its way into a journal."""

    def __init__(self, path: str, on_progress: OnProgress | None) -> None:
        self.file = EntriesFile(path)
        self.stopped = threading.Event()
        self._on_progress = on_progress

    def entries(self) -> Iterator[JournalEntry]:
        """The entries of the file; `ImportFault` at the first that is none."""
        for count, loaded in enumerate(self.file.objects(), 1):
            if self.stopped.is_set():
                raise _Stopped
            if count % REPORT_EVERY_ENTRIES == 0 and self._on_progress is not None:
                self._on_progress(REPORT_EVERY_ENTRIES)
            try:
                yield _checked(entry_of(loaded), loaded)
            except BadInput as fault:
                raise self.file.fault(str(fault)) from fault

    def numbered(self, first_seq: int) -> Iterator[JournalEntry]:
        """The same, with the numbers that they have; they must be the next ones."""
        expected = first_seq
        for entry in self.entries():
            if entry.seq != expected:
                raise self.file.fault(_misfit(entry.seq, expected, first_seq))
            expected += 1
            yield entry

    def first_seq(self) -> int:
        """The number of the first entry; 1 if there is none."""
        first = next(EntriesFile(self.file.path).objects(), {"seq": 1})
        number = first.get("seq")
        return number if type(number) is int and number > 0 else 1


def _misfit(seq: int, expected: int, first_seq: int) -> str:
    if not seq:
        return "it has no number, and numbers are to be kept"
    if seq < expected:
        there = "before it in the file" if expected > first_seq else "in the journal"
        return f"there is an entry {seq} {there} already"
    return f"entry {expected} is missing before {seq}, and numbers have no gaps"


def _checked(entry: JournalEntry, loaded: Mapping[str, Any]) -> JournalEntry:
    """The entry, if a journal may hold it, and it is what its digest says."""
    if "timestamp" not in loaded:
        raise BadValue("`timestamp` is missing")
    if entry.kind in (*_MESSAGES, EntryKind.EXPIRE):
        parse_address(entry.address)
    if entry.kind is EntryKind.SET and entry.encoded is None:
        raise BadValue("a SET needs a `value`")
    if entry.kind is EntryKind.PUBLISH and entry.signal_type is None:
        raise BadValue("a PUBLISH needs a `signal`")
    for key in ("timestamp", "revision", "ttl", "seq"):
        number = getattr(entry, key)
        if number is not None and abs(number) > INTEGER_MAX:
            raise BadValue(f"`{key}` does not fit into 64 bits")
    if entry.seq < 0:
        raise BadValue("`seq` is no number from 1 up")
    digest = loaded.get("digest")
    if digest is not None and digest != digest_of_entry(entry).hex():
        raise BadValue("the entry is not the one that its digest was made of")
    return entry


def _as_imported(entry: JournalEntry) -> JournalEntry:
    """The entry, with the numbers that it tells of marked as those of another journal."""
    if entry.kind not in _ABOUT_NUMBERS:
        return entry
    details = {} if entry.details is None else values.decode(entry.details)
    if not isinstance(details, dict):
        return entry
    return entry._replace(details=values.encode({**details, IMPORTED: True}))
