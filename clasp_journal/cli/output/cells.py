"""What of a record a person sees in a table, and what a value looks like as plain text.

Law: nothing that a peer chose (an address, a name, a value) reaches a terminal with characters in it that are
orders to it: controls, and those that turn the direction of text or hide it.
"""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from typing import Any, NamedTuple

from clasp_journal.cli.grammar.zones import Zone

to_json = json.JSONEncoder(ensure_ascii=False).encode
"""A value as JSON in one line."""

_ORDERS = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of Unicode: controls, formats, surrogates, and the separators of lines and paragraphs."""
_SESSION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_JOINERS = "\u200c\u200d"
"""Formats that emoji and some scripts are written with; all they do is to join what stands beside them."""


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
    """`text`, `number`, `id` (a number that is copied, not read), `time` (microseconds), `author`, `json`
    (where null is not nothing), or `value` (JSON, or what is in its place)."""
    style: str = ""
    """Of rich."""
    is_minor: bool = False
    """Whether a terminal that is too narrow for all of them does without it."""

    def cell(self, record: Any, look: Look) -> str:
        """The text in a table."""
        found = record.get(self.key)
        if self.kind == "value":
            return _content(record)
        if self.kind == "json":
            return clean(to_json(found)) if self.key in record else ""
        if self.kind == "author":
            return clean(_author(record))
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
        room = " " * (width - width_of(cell))
        return room + cell if self.is_right else cell + room

    @property
    def is_elastic(self) -> bool:
        """Whether its cells may be cut."""
        return self.kind in ("text", "json", "value", "author")

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


def _author(record: Any) -> str:
    """Whom a person knows: the subject of a token; else not the number of a session, but the name it has."""
    author, name = record.get("author") or "", record.get("name")
    return name if name and _SESSION.fullmatch(author) else author


def short_time(at_us: int, look: Look) -> str:
    """A time to the millisecond; without its day if that is today."""
    try:
        then, now = look.zone.wall(at_us), look.zone.wall(look.now_us)
    except (OverflowError, ValueError):
        return f"@{at_us // 1_000_000}"
    clock = then.strftime("%H:%M:%S.") + f"{then.microsecond // 1_000:03d}"
    return clock if then.date() == now.date() else f"{then:%Y-%m-%d} {clock}"


def width_of(cell: str) -> int:
    """How many columns of a terminal a text takes; many characters take two, some none."""
    if cell.isascii():
        return len(cell)
    from rich.cells import cell_len

    return cell_len(cell)


def clean(text: str, kept: str = "") -> str:
    """The text with what orders a terminal about spelled out, as JSON spells it, but for what is `kept`."""
    if text.isprintable():
        return text
    return "".join(json.dumps(c)[1:-1] if c not in kept and _is_order(c) else c for c in text)


def _is_order(character: str) -> bool:
    return unicodedata.category(character) in _ORDERS and character not in _JOINERS


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
