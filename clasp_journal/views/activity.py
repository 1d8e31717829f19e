"""Who did how much, what went over which address, and how many entries of which kind there are.

Authors and addresses count messages (SET and PUBLISH), as `who` and `top` do. Kinds count everything, also
what this program has no name for.
"""

from __future__ import annotations

import json
from typing import Any

from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.views.tables import Cells, CellType, Column, Table
from clasp_journal.views.view import TableView

_SECOND_US = 1_000_000
_SET, _PUBLISH = EntryKind.SET, EntryKind.PUBLISH
_KNOWN = {int(kind): kind.name.lower() for kind in EntryKind}

_TIMES = (Column("first_us", CellType.INTEGER), Column("last_us", CellType.INTEGER))


def _counters(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, CellType.INTEGER) for name in names)


class Authors(TableView):
    """What each author did."""

    name = "authors"
    about = "what each author did: messages, addresses, times"

    def __init__(self) -> None:
        super().__init__()
        author = Column("author", CellType.TEXT)
        counters = _counters("entries", "sets", "publishes", "addresses")
        self.table = Table("authors", (author,), (Column("names", CellType.TEXT), *counters, *_TIMES))
        self.reach = Table(
            "authors_addresses", (author, Column("address", CellType.TEXT)), _counters("entries")
        )
        """How often each author wrote to each address."""
        self.tables = (self.table, self.reach)

    def apply(self, entry: JournalEntry) -> None:
        """Count a message."""
        kind, author, at_us = entry.kind, entry.author, entry.timestamp
        if kind != _SET and kind != _PUBLISH:
            return
        known: Any = self.table.get((author,))
        names, entries, sets, publishes, addresses, first_us, last_us = known or _NOBODY
        times: Any = self.reach.get((author, entry.address))
        self.reach.put((author, entry.address), (times[0] + 1 if times else 1,))
        self.table.put(
            (author,),
            (
                names if entry.name is None else _with_name(names, entry.name),
                entries + 1,
                sets + (kind == _SET),
                publishes + (kind == _PUBLISH),
                addresses + (times is None),
                at_us if known is None or at_us < first_us else first_us,
                at_us if known is None or at_us > last_us else last_us,
            ),
        )


_NOBODY = ("[]", 0, 0, 0, 0, 0, 0)


def _with_name(names: str, name: str) -> str:
    """JSON of the names in the order in which they came, each once."""
    quoted = json.dumps(name, ensure_ascii=False)
    if names == f"[{quoted}]":
        return names
    known = json.loads(names)
    return names if name in known else json.dumps([*known, name], ensure_ascii=False)


class Addresses(TableView):
    """What went over each address.

    The busiest second is found in the order of the log: where times go back, a second that comes again is
    counted anew.
    """

    name = "addresses"
    about = "what went over each address: messages, bytes, rates, times"

    def __init__(self) -> None:
        super().__init__()
        counters = _counters("entries", "sets", "publishes", "bytes", "peak_per_s", "second", "in_second")
        self.table = Table("addresses", (Column("address", CellType.TEXT),), (*counters, *_TIMES))
        self.tables = (self.table,)

    def apply(self, entry: JournalEntry) -> None:
        """Count a message."""
        kind, address, at_us = entry.kind, entry.address, entry.timestamp
        if (kind != _SET and kind != _PUBLISH) or not address:
            return
        known: Any = self.table.get((address,))
        entries, sets, publishes, size_bytes, peak_per_s, second, in_second, first_us, last_us = (
            known or _NOTHING
        )
        now = at_us // _SECOND_US
        in_second = in_second + 1 if now == second and known else 1
        cells: Cells = (
            entries + 1,
            sets + (kind == _SET),
            publishes + (kind == _PUBLISH),
            size_bytes + len(entry.encoded or b"") + len(entry.samples or b""),
            max(peak_per_s, in_second),
            now,
            in_second,
            at_us if known is None or at_us < first_us else first_us,
            at_us if known is None or at_us > last_us else last_us,
        )
        self.table.put((address,), cells)


_NOTHING = (0,) * 9


class Kinds(TableView):
    """How many entries of each kind there are."""

    name = "kinds"
    about = "how many entries of each kind there are, also of unknown ones"

    def __init__(self) -> None:
        super().__init__()
        cells = (Column("op", CellType.TEXT), *_counters("entries"), *_TIMES)
        self.table = Table("kinds", _counters("kind"), cells)
        self.tables = (self.table,)

    def apply(self, entry: JournalEntry) -> None:
        """Count an entry; a kind without a name is one as well."""
        kind, at_us = int(entry.kind), entry.timestamp
        known: Any = self.table.get((kind,))
        _, entries, first_us, last_us = known or (None, 0, at_us, at_us)
        cells = (_KNOWN.get(kind), entries + 1, min(first_us, at_us), max(last_us, at_us))
        self.table.put((kind,), cells)
