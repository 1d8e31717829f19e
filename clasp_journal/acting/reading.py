"""The files that `transfer` writes, read again, an entry at a time.

Laws: the form is seen from the first character; memory holds one entry, not the file; whatever is wrong is an
`ImportFault` that names the line, the one in which an entry begins where an entry is wrong.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from clasp_journal.acting.transfer import TEXTS
from clasp_journal.errors import BadInput

CELL_MAX_CHARACTERS = 16 * 1024 * 1024
ENTRY_MAX_CHARACTERS = 32 * 1024 * 1024
CHUNK_CHARACTERS = 1 << 16

_SPACE = " \t\n\r"


class ImportFault(BadInput):
    """A file that is no export, or does not fit: which line, and why."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}; nothing was imported")
        self.line = line
        self.reason = reason


class EntriesFile:
    """A file of entries; `line` is where the one that was read last begins."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.line = 0

    def fault(self, reason: str, line: int | None = None) -> ImportFault:
        """What is wrong with the entry that was read last, or with another line."""
        return ImportFault(self.path, self.line if line is None else line, reason)

    def objects(self) -> Iterator[Mapping[str, Any]]:
        """The entries as they stand there."""
        with Path(self.path).open(encoding="utf-8", errors="strict", newline="") as file:
            try:
                first = _first_character(file)
                if first == "[":
                    yield from self._from_array(file)
                elif first in ("{", ""):
                    yield from self._from_lines(file)
                else:
                    yield from self._from_csv(file)
            except UnicodeDecodeError as fault:
                raise self.fault("this is no text in UTF-8", self.line + 1) from fault

    def _from_lines(self, file: IO[str]) -> Iterator[Mapping[str, Any]]:
        for self.line, line in enumerate(file, 1):
            if line.strip():
                try:
                    loaded = json.loads(line)
                except (ValueError, RecursionError) as fault:
                    raise self.fault(f"this is no JSON: {_why(fault)}") from fault
                yield self._checked(loaded)

    def _from_array(self, file: IO[str]) -> Iterator[Mapping[str, Any]]:
        text = _Text(file, self)
        text.take("[")
        if not text.skip_space().startswith("]"):
            while True:
                yield self._checked(text.take_value())
                if not text.skip_space().startswith(","):
                    break
                text.take(",")
        text.take("]")
        if text.skip_space():
            raise self.fault("something follows the end of the array", text.line)

    def _checked(self, loaded: object) -> Mapping[str, Any]:
        if not isinstance(loaded, dict):
            raise self.fault("this is no JSON object")
        return loaded

    def _from_csv(self, file: IO[str]) -> Iterator[Mapping[str, Any]]:
        csv.field_size_limit(CELL_MAX_CHARACTERS)
        try:
            reader = csv.reader(file, strict=True)
            columns = next(reader)
            self.line = 1
            if "timestamp" not in columns or "op" not in columns:
                raise self.fault("the columns `timestamp` and `op` are missing")
            if len(set(columns)) < len(columns):
                raise self.fault("a column is there twice")
            for row in reader:
                self.line = reader.line_num
                if len(row) != len(columns):
                    raise self.fault(f"{len(row)} cells in {len(columns)} columns")
                yield self._uncelled(zip(columns, row, strict=True))
        except csv.Error as fault:
            raise self.fault(str(fault), self.line + 1) from fault

    def _uncelled(self, cells: Iterable[tuple[str, str]]) -> dict[str, Any]:
        try:
            return {key: _load(key, cell) for key, cell in cells if cell}
        except (ValueError, RecursionError) as fault:
            raise self.fault(f"a cell is not what it should be: {_why(fault)}") from fault


class _Text:
    """JSON as it comes, a chunk at a time."""

    def __init__(self, file: IO[str], home: EntriesFile) -> None:
        self.line = 1
        self._file = file
        self._home = home
        self._text = ""
        self._is_whole = False
        self._decoder = json.JSONDecoder()

    def skip_space(self) -> str:
        """What comes next that is no space; empty at the end."""
        while True:
            stripped = self._text.lstrip(_SPACE)
            self._pass(len(self._text) - len(stripped))
            if self._text or not self._read(CHUNK_CHARACTERS):
                return self._text

    def take(self, expected: str) -> None:
        """Pass a character."""
        found = self.skip_space()[:1]
        if found != expected:
            raise self._home.fault(f"{expected} is missing before {found or 'the end'}", self.line)
        self._pass(1)

    def take_value(self) -> object:
        """The next value; the more of it is there, the more is read at once."""
        self.skip_space()
        self._home.line = self.line
        while True:
            try:
                value, length = self._decoder.raw_decode(self._text)
                # What ends with the chunk may go on in the next: 1 and then 23.
                if length < len(self._text) or not self._read(CHUNK_CHARACTERS):
                    self._pass(length)
                    return value
            except json.JSONDecodeError as fault:
                if len(self._text) > ENTRY_MAX_CHARACTERS:
                    reason = f"an entry of more than {ENTRY_MAX_CHARACTERS:,} characters"
                    raise self._home.fault(reason) from fault
                if not self._read(max(CHUNK_CHARACTERS, len(self._text))):
                    line = self.line + self._text.count("\n", 0, fault.pos)
                    raise self._home.fault(f"this is no JSON: {fault.msg}", line) from fault
            except RecursionError as fault:
                raise self._home.fault(f"this is no JSON: {fault}") from fault

    def _pass(self, length: int) -> None:
        self.line += self._text.count("\n", 0, length)
        self._text = self._text[length:]

    def _read(self, size: int) -> bool:
        more = self._file.read(size)
        self._text += more
        return bool(more)


def _first_character(file: IO[str]) -> str:
    """The first one that is no space; the file is then at its beginning again."""
    found = file.read(CHUNK_CHARACTERS).lstrip(_SPACE)[:1]
    file.seek(0)
    return found


def _why(fault: Exception) -> str:
    """What a reader of JSON says, without the line: it counts those of the part that it was given."""
    return f"{fault.msg}, character {fault.colno}" if isinstance(fault, json.JSONDecodeError) else str(fault)


def _load(key: str, cell: str) -> Any:
    if key in TEXTS and not cell.startswith('"'):
        return cell
    return json.loads(cell)
