"""Entries as a file that other programs read, and back: JSON lines, or CSV.

Laws: what was exported and is imported is the same, to the bit, but for `seq`: the journal that imports
numbers the entries in the order of the file, behind those that it has. They belong to its epoch. An import
is one transaction: a file with a line that cannot be read, or an import that is interrupted, changes nothing.

In CSV a text stands as it is; one that is empty, begins with a quote or holds control characters as JSON,
since an empty cell means that there is nothing. Values, samples and details are JSON, as in JSON lines.
"""

from __future__ import annotations

import asyncio
import csv
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from clasp_journal.address import parse_address
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import BadInput, BadValue
from clasp_journal.journal import Journal
from clasp_journal.jsonl import entry_of, object_of

FORMATS = ("jsonl", "csv")
REPORT_EVERY_ENTRIES = 500
CELL_MAX_CHARACTERS = 16 * 1024 * 1024

_TEXTS = ("time", "op", "signal", "address", "author", "name", "phase", "encoded", "details_encoded")
_JSON = ("value", "samples", "details")
COLUMNS = (
    *("seq", "timestamp", "time", "op", "signal", "address", "value", "revision", "author"),
    *("encoded", "samples", "samples_encoded", "rate", "gesture_id", "phase", "ttl", "sent", "name"),
    *("details", "details_encoded"),
)
_ALL_TEXTS = frozenset((*_TEXTS, "samples_encoded"))

OnProgress = Callable[[int], None]
"""Told how many entries were written or read; of an import, in another thread."""


class ImportFault(BadInput):
    """A file that is no export: which line, and why."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}; nothing was imported")
        self.line = line
        self.reason = reason


class Imported(NamedTuple):
    """The numbers that the entries were given."""

    first_seq: int
    last_seq: int

    @property
    def entries(self) -> int:
        """How many there were."""
        return self.last_seq - self.first_seq + 1


async def export_entries(
    pages: AsyncIterator[list[JournalEntry]],
    file: IO[str],
    form: str = "jsonl",
    *,
    format_time: Callable[[int], str] | None = None,
    on_progress: OnProgress | None = None,
) -> int:
    """Write entries to a file; returns how many there were."""
    lines = _csv_lines(file) if form == "csv" else _json_lines(file)
    count = 0
    async for page in pages:
        for entry in page:
            lines(object_of(entry, format_time))
        count += len(page)
        if on_progress is not None:
            on_progress(len(page))
    return count


async def import_entries(journal: Journal, path: str, *, on_progress: OnProgress | None = None) -> Imported:
    """Append what was exported; `ImportFault` if the file is not wholly an export."""
    before = await journal.latest_seq()
    stopped = threading.Event()
    reading = _Reading(path, stopped, on_progress)
    try:
        last_seq = await journal.append(reading.entries())
    except asyncio.CancelledError:
        # The thread that reads would go on to the end, and the import would be made after all. What is
        # appended next waits until it has been taken back.
        stopped.set()
        await journal.append(())
        raise
    except (BadValue, OSError) as fault:
        raise ImportFault(path, reading.line, str(fault)) from fault
    return Imported(before + 1, last_seq)


class _Stopped(Exception):
    """Nobody wants the import any more."""


class _Reading:
    """A file on its way into a journal; `line` is the one that is being read."""

    def __init__(self, path: str, stopped: threading.Event, on_progress: OnProgress | None) -> None:
        self.line = 0
        self._path = path
        self._stopped = stopped
        self._on_progress = on_progress

    def entries(self) -> Iterator[JournalEntry]:
        """The entries of the file; `ImportFault` at the first line that is none."""
        with Path(self._path).open(encoding="utf-8", errors="strict", newline="") as file:
            objects = self._from_json(file) if self._is_json(file) else self._from_csv(file)
            for count, loaded in enumerate(objects, 1):
                if self._stopped.is_set():
                    raise _Stopped
                if count % REPORT_EVERY_ENTRIES == 0 and self._on_progress is not None:
                    self._on_progress(REPORT_EVERY_ENTRIES)
                try:
                    yield _checked(entry_of(loaded), loaded)
                except BadInput as fault:
                    raise ImportFault(self._path, self.line, str(fault)) from fault

    def _is_json(self, file: IO[str]) -> bool:
        """Whether the first thing in it opens an object; the file is then at its beginning again."""
        try:
            head = file.read(64)
        except UnicodeDecodeError as fault:
            raise ImportFault(self._path, 1, "this is no text in UTF-8") from fault
        file.seek(0)
        return head.lstrip().startswith("{") or not head.strip()

    def _from_json(self, file: IO[str]) -> Iterator[Mapping[str, Any]]:
        for line in self._lines(file):
            if not line.strip():
                continue
            try:
                loaded = json.loads(line)
            except (ValueError, RecursionError) as fault:
                raise ImportFault(self._path, self.line, f"this is no JSON: {fault}") from fault
            if not isinstance(loaded, dict):
                raise ImportFault(self._path, self.line, "this is no JSON object")
            yield loaded

    def _from_csv(self, file: IO[str]) -> Iterator[Mapping[str, Any]]:
        csv.field_size_limit(CELL_MAX_CHARACTERS)
        try:
            reader = csv.reader(file, strict=True)
            columns = next(reader)
            self.line = 1
            if "timestamp" not in columns or "op" not in columns:
                raise ImportFault(self._path, 1, "the columns `timestamp` and `op` are missing")
            for row in reader:
                self.line = reader.line_num
                if len(row) != len(columns):
                    raise ImportFault(self._path, self.line, f"{len(row)} cells in {len(columns)} columns")
                yield self._uncelled(zip(columns, row, strict=True))
        except csv.Error as fault:
            raise ImportFault(self._path, self.line + 1, str(fault)) from fault
        except UnicodeDecodeError as fault:
            raise ImportFault(self._path, self.line + 1, "this is no text in UTF-8") from fault

    def _uncelled(self, cells: Iterable[tuple[str, str]]) -> dict[str, Any]:
        try:
            return {key: _load(key, cell) for key, cell in cells if cell}
        except (ValueError, RecursionError) as fault:
            raise ImportFault(self._path, self.line, f"a cell is not what it should be: {fault}") from fault

    def _lines(self, file: IO[str]) -> Iterator[str]:
        try:
            for self.line, line in enumerate(file, 1):
                yield line
        except UnicodeDecodeError as fault:
            raise ImportFault(self._path, self.line + 1, "this is no text in UTF-8") from fault


def _checked(entry: JournalEntry, loaded: Mapping[str, Any]) -> JournalEntry:
    """The entry, if a journal may hold it."""
    if "timestamp" not in loaded:
        raise BadValue("`timestamp` is missing")
    if entry.kind in (EntryKind.SET, EntryKind.PUBLISH, EntryKind.EXPIRE):
        parse_address(entry.address)
    if entry.kind is EntryKind.SET and entry.encoded is None:
        raise BadValue("a SET needs a `value`")
    if entry.kind is EntryKind.PUBLISH and entry.signal_type is None:
        raise BadValue("a PUBLISH needs a `signal`")
    return entry


def _json_lines(file: IO[str]) -> Callable[[dict[str, Any]], None]:
    def write(shown: dict[str, Any]) -> None:
        file.write(json.dumps(shown, ensure_ascii=False) + "\n")

    return write


def _csv_lines(file: IO[str]) -> Callable[[dict[str, Any]], None]:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)

    def write(shown: dict[str, Any]) -> None:
        writer.writerow([_cell(key, shown[key]) if key in shown else "" for key in COLUMNS])

    return write


def _cell(key: str, found: Any) -> str:
    if found is None and key not in _JSON:
        return ""
    if key in _ALL_TEXTS and isinstance(found, str) and _stands_for_itself(found):
        return found
    return json.dumps(found, ensure_ascii=False)


def _stands_for_itself(text: str) -> bool:
    return bool(text) and text.isprintable() and not text.startswith('"')


def _load(key: str, cell: str) -> Any:
    if key in _ALL_TEXTS and not cell.startswith('"'):
        return cell
    return json.loads(cell)
