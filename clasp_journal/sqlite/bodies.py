"""Rows as the text of a mirror's lines, and back, without becoming entries where that can be helped.

A damaged row becomes another text than its line, or `JournalCorrupt`: so checksums need not be looked at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from functools import lru_cache
from zlib import crc32

from clasp_journal.entry import EntryKind, SignalType
from clasp_journal.mirror.comparing import Body
from clasp_journal.mirror.lines import (
    CACHED_VALUES,
    SIMPLE_SET,
    body_of,
    encoded_of_told,
    entry_of_body,
    quoted,
)
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.bulk_insert import NULL, cells_of
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.checksum import BIAS, ENTRY_HEAD
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.forms import TAGGED_F64, form_of
from clasp_journal.sqlite.rows import Row, entry_of
from clasp_journal.sqlite.transactions import reading
from clasp_journal.sqlite.writer import Batch
from clasp_journal.value import ValueType

_SET, _PARAM, _F64_TAG = int(EntryKind.SET), int(SignalType.PARAM), int(ValueType.F64)
_NO_MORE = (None,) * 5


def read_bodies(db: sqlite3.Connection, catalog: Catalog, span: Span, limit: int) -> list[Body]:
    """The first entries of a span, as far as they are there: their numbers and texts."""
    with reading(db):
        catalog.refresh(db)
        rows = db.execute(schema.scan(), span).fetchmany(limit)
    return bodies_of(rows, catalog)


def bodies_of(rows: Iterable[Row], catalog: Catalog) -> list[Body]:
    """The numbers and texts of whole rows."""
    bodies = []
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


class Texts:
    """Texts on their way into the table `entry`, in one transaction."""

    def __init__(self, batch: Batch) -> None:
        """The batch numbers names that nobody has met yet, and makes the rows that are not simple."""
        self.last_seq = 0
        """The entry that was read last."""
        self.inserted = 0
        self._batch = batch
        self._address_ids: dict[bytes, int] = {}
        self._author_ids: dict[tuple[bytes, bytes | None], int] = {}

    def rows(self, bodies: Iterable[Body]) -> Iterator[Row]:
        """Their rows, in the same order."""
        address_ids, author_ids = self._address_ids, self._author_ids
        simple_set, pack, pack_float = SIMPLE_SET.fullmatch, ENTRY_HEAD.pack, TAGGED_F64.pack
        crc, bias, kind, signal = crc32, BIAS, _SET, _PARAM
        for seq, body in bodies:
            self.last_seq = seq
            self.inserted += 1
            simple = simple_set(body)
            value = None if simple is None or simple[5] is None else _value_of(simple[5])
            if simple is None or (value is None and simple[4] is None):
                self._batch.last_seq = seq - 1
                yield from self._batch.rows((entry_of_body(body),))
                continue
            _, time, address, real, _, revision, author, name = simple.groups()
            try:
                address_id, author_id = address_ids[address], author_ids[author, name]
            except KeyError:
                address_id, author_id = self._meet(body, address, (author, name))
            at_us, number = int(time), int(revision)
            head = pack(seq, at_us, address_id, author_id, kind, signal, number)
            if value is None:
                cell = float(real)
                encoded, value_cells = pack_float(_F64_TAG, cell), (NULL, cell, NULL)
            else:
                encoded, value_cells = value
            checksum = crc(head + encoded) - bias
            # fmt: off
            yield (seq, at_us, kind, signal, address_id, author_id, *value_cells,
                   number, NULL, NULL, NULL, checksum)
            # fmt: on

    def _meet(self, body: bytes, address: bytes, author: tuple[bytes, bytes | None]) -> tuple[int, int]:
        entry, names = entry_of_body(body), self._batch.names
        address_id = self._address_ids[address] = names.address_id(entry.address)
        author_id = self._author_ids[author] = names.author_id(entry.author, entry.name)
        return address_id, author_id


@lru_cache(CACHED_VALUES)
def _value_of(told: bytes) -> tuple[bytes, Row] | None:
    encoded = encoded_of_told(told)
    return None if encoded is None else (encoded, cells_of(form_of(encoded)))
