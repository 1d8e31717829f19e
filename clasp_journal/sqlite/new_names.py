"""Ids for the addresses and authors that a transaction meets for the first time.

Law: the catalog learns them after the commit; a transaction that fails leaves no id behind.
"""

from __future__ import annotations

import sqlite3

from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Author, Catalog
from clasp_journal.sqlite.checksum import small_row_checksum


class NewNames:
    """What one transaction adds to a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._addresses: dict[str, int] = {}
        self._authors: dict[tuple[str, str | None], int] = {}

    def address_id(self, text: str) -> int:
        """The id of an address, known or new."""
        known = self._catalog.address_ids.get(text) or self._addresses.get(text)
        if known is None:
            known = self._addresses[text] = self._catalog.last_address_id + len(self._addresses) + 1
        return known

    def author_id(self, subject: str, name: str | None) -> int:
        """The id of an author, known or new."""
        who = (subject, name)
        known = self._catalog.author_ids.get(who) or self._authors.get(who)
        if known is None:
            known = self._authors[who] = self._catalog.last_author_id + len(self._authors) + 1
        return known

    def insert(self, db: sqlite3.Connection) -> None:
        """Write the new ones, within the transaction."""
        if self._addresses:
            texts = self._addresses.items()
            rows = [(number, text, small_row_checksum(number, text)) for text, number in texts]
            db.executemany(schema.INSERT_ADDRESS, rows)
        if self._authors:
            people = self._authors.items()
            rows_ = [(number, *who, small_row_checksum(number, *who)) for who, number in people]
            db.executemany(schema.INSERT_AUTHOR, rows_)

    def adopt(self) -> None:
        """Teach them to the catalog, after the commit."""
        for text, number in self._addresses.items():
            self._catalog.add_address(number, text)
        for who, number in self._authors.items():
            self._catalog.add_author(number, Author(*who))
