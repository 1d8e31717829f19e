"""What of a record a person sees in a table, and what a value looks like as plain text.

Law: nothing that a peer chose (an address, a name, a value) reaches a terminal with control characters in it.
"""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple

from clasp_journal.cli.grammar.zones import Zone

to_json = json.JSONEncoder(ensure_ascii=False).encode
"""A value as JSON in one line."""

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160))}


class Look(NamedTuple):
    """Whose eyes look, and when."""

    now_us: int
    zone: Zone


class Column(NamedTuple):
    """A column: the key of the record, and how a table shows it."""

    key: str
    head: str = ""
    """Without one, a table leaves the column out; CSV and TSV have it."""
    kind: str = "text"
    """`text`, `number`, `id` (a number that is copied, not read), `time` (microseconds) or `value`."""
    style: str = ""
    """Of rich."""
    is_minor: bool = False
    """Whether a terminal that is too narrow for all of them does without it."""

    def cell(self, record: Any, look: Look) -> str:
        """The text in a table."""
        found = record.get(self.key)
        if self.kind == "value":
            return _content(record)
        if found is None:
            return ""
        if self.kind == "time":
            return short_time(found, look)
        if self.kind == "number":
            return f"{found:,.1f}" if isinstance(found, float) else f"{found:,}"
        if isinstance(found, list) and all(isinstance(item, str) for item in found):
            return clean(", ".join(found))
        return clean(text_of(found))

    def pad(self, cell: str, width: int) -> str:
        """The cell as wide as its column."""
        return cell.rjust(width) if self.is_right else cell.ljust(width)

    @property
    def is_elastic(self) -> bool:
        """Whether its cells may be cut."""
        return self.kind in ("text", "value")

    @property
    def is_right(self) -> bool:
        """Whether its cells end below each other."""
        return self.kind in ("number", "id")


def _content(record: Any) -> str:
    """The value; for a record without one, what it carries in its place."""
    for key in ("value", "samples", "details"):
        if key in record:
            return clean(to_json(record[key]))
    return ""


def short_time(at_us: int, look: Look) -> str:
    """A time to the millisecond; without its day if that is today."""
    try:
        then, now = look.zone.wall(at_us), look.zone.wall(look.now_us)
    except (OverflowError, ValueError):
        return f"@{at_us // 1_000_000}"
    clock = then.strftime("%H:%M:%S.") + f"{then.microsecond // 1_000:03d}"
    return clock if then.date() == now.date() else f"{then:%Y-%m-%d} {clock}"


def clean(text: str) -> str:
    """The text with its control characters spelled out."""
    return text if text.isprintable() else text.translate(_CONTROLS)


def text_of(found: Any) -> str:
    """A JSON value as plain text: strings as they are, nothing for null."""
    if found is None:
        return ""
    return found if isinstance(found, str) else to_json(found)


def raw_bytes(found: Any) -> bytes:
    """A JSON value as the bytes that it stands for."""
    if isinstance(found, dict) and found.keys() == {"$bytes"}:
        return base64.b64decode(found["$bytes"])
    if isinstance(found, str):
        return found.encode()
    return to_json(found).encode()
