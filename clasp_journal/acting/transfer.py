"""Entries as a file that other programs read: JSON lines, one JSON array, or CSV. `importing` reads them.

In CSV a text stands as it is; one that is empty, begins with a quote or holds control characters as JSON,
since an empty cell means that there is nothing. Values, samples and details are JSON, as in JSON lines.
With digests, each entry carries the one that a mirror has of it, and is checked when it is read.
"""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Callable
from typing import IO, Any, NamedTuple

from clasp_journal.entry import JournalEntry
from clasp_journal.jsonl import object_of
from clasp_journal.mirror.digests import digest_of_entry

FORMATS = ("jsonl", "json", "csv")

TEXTS = frozenset(
    (
        *("time", "op", "signal", "address", "author", "name", "phase", "encoded", "details_encoded"),
        *("samples_encoded", "digest"),
    )
)
_JSON = ("value", "samples", "details")
COLUMNS = (
    *("seq", "timestamp", "time", "op", "signal", "address", "value", "revision", "author"),
    *("encoded", "samples", "samples_encoded", "rate", "gesture_id", "phase", "ttl", "sent", "name"),
    *("details", "details_encoded"),
)

OnProgress = Callable[[int], None]
"""Told how many entries were written or read; of an import, in another thread."""


class Form(NamedTuple):
    """What a file of entries looks like."""

    name: str = "jsonl"
    with_digests: bool = False
    format_time: Callable[[int], str] | None = None


PLAIN = Form()


async def export_entries(
    pages: AsyncIterator[list[JournalEntry]],
    file: IO[str],
    form: Form = PLAIN,
    *,
    on_progress: OnProgress | None = None,
) -> int:
    """Write entries to a file; returns how many there were."""
    writer = _WRITERS[form.name](file, form)
    count = 0
    writer.begin()
    async for page in pages:
        for entry in page:
            shown = object_of(entry, form.format_time)
            if form.with_digests:
                shown["digest"] = digest_of_entry(entry).hex()
            writer.write(shown)
        count += len(page)
        if on_progress is not None:
            on_progress(len(page))
    writer.end()
    return count


class _JsonLines:
    """An object a line."""

    def __init__(self, file: IO[str], form: Form) -> None:
        self._file = file

    def begin(self) -> None:
        pass

    def write(self, shown: dict[str, Any]) -> None:
        self._file.write(json.dumps(shown, ensure_ascii=False) + "\n")

    def end(self) -> None:
        pass


class _JsonArray:
    """One array, with an object a line."""

    def __init__(self, file: IO[str], form: Form) -> None:
        self._file = file
        self._before = "["

    def begin(self) -> None:
        pass

    def write(self, shown: dict[str, Any]) -> None:
        self._file.write(f"{self._before}\n{json.dumps(shown, ensure_ascii=False)}")
        self._before = ","

    def end(self) -> None:
        self._file.write("[]\n" if self._before == "[" else "\n]\n")


class _Csv:
    """A row each, below the names of the columns."""

    def __init__(self, file: IO[str], form: Form) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._columns = (*COLUMNS, "digest") if form.with_digests else COLUMNS

    def begin(self) -> None:
        self._writer.writerow(self._columns)

    def write(self, shown: dict[str, Any]) -> None:
        self._writer.writerow([_cell(key, shown[key]) if key in shown else "" for key in self._columns])

    def end(self) -> None:
        pass


_Writer = _JsonLines | _JsonArray | _Csv
_WRITERS: dict[str, Callable[[IO[str], Form], _Writer]] = {
    "jsonl": _JsonLines,
    "json": _JsonArray,
    "csv": _Csv,
}


def _cell(key: str, found: Any) -> str:
    if found is None and key not in _JSON:
        return ""
    if key in TEXTS and isinstance(found, str) and _stands_for_itself(found):
        return found
    return json.dumps(found, ensure_ascii=False)


def _stands_for_itself(text: str) -> bool:
    return bool(text) and text.isprintable() and not text.startswith('"')
