"""Rows as the text of a mirror's lines, without becoming entries first where that can be helped.

A damaged row becomes another text than its line, or `JournalCorrupt`: so checksums need not be looked at.
"""

from __future__ import annotations

import sqlite3

from clasp_journal.entry import EntryKind, SignalType
from clasp_journal.mirror.lines import body_of, quoted
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.rows import entry_of
from clasp_journal.sqlite.transactions import reading

_SET, _PARAM = int(EntryKind.SET), int(SignalType.PARAM)
_NO_MORE = (None,) * 5


def read_bodies(db: sqlite3.Connection, catalog: Catalog, span: Span, limit: int) -> list[tuple[int, bytes]]:
    """The first entries of a span, as far as they are there: their numbers and texts."""
    bodies = []
    with reading(db):
        catalog.refresh(db)
        rows = db.execute(schema.scan(), span).fetchmany(limit)
    addresses, authors = catalog.addresses, catalog.authors
    for row in rows:
        # fmt: off
        (seq, timestamp, kind, signal, address_id, author_id,
         value_type, number, raw, revision, ttl, samples, extra, _) = row
        # fmt: on
        if (
            type(number) is float
            and kind == _SET
            and signal == _PARAM
            and revision is not None
            and (value_type, raw, ttl, samples, extra) == _NO_MORE
            and number - number == 0
            and address_id in addresses
            and author_id in authors
        ):
            author, name = authors[author_id]
            body = (
                f'{{"seq":{seq},"timestamp":{timestamp},"op":"set","signal":"param",'
                f'"address":{quoted(addresses[address_id])},"value":{number!r},"revision":{revision},'
                f'"author":{quoted(author)}'
            )
            if name is not None:
                body += f',"name":{quoted(name)}'
        else:
            body = body_of(entry_of(row, catalog), seq)
        bodies.append((seq, body.encode()))
    return bodies
