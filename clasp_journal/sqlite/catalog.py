"""The addresses and authors of a journal, in memory, by id and by name.

Law: ids are never given twice, so what a catalog knows stays true; it only misses what is newer, and
`refresh` reads that. Each connection's thread has a catalog of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from typing import NamedTuple
from zlib import crc32

from clasp_journal.address import Pattern
from clasp_journal.errors import JournalCorrupt
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.checksum import BIAS, small_row_checksum
from clasp_journal.sqlite.recency import Recency

PATTERNS_MAX = 64
"""Patterns whose addresses are remembered; the one that was not asked for the longest goes first."""


class Author(NamedTuple):
    """Who: the subject of a token or a session id, and the name that the client gave itself."""

    subject: str
    name: str | None


class Matched(NamedTuple):
    """The ids of the addresses that a pattern matches, three ways."""

    ids: list[int]
    members: frozenset[int]
    as_json: str


class Catalog:
    """What the ids of addresses and authors mean."""

    def __init__(self) -> None:
        self.addresses: dict[int, str] = {}
        self.authors: dict[int, Author] = {}
        self.address_ids: dict[str, int] = {}
        self.author_ids: dict[tuple[str, str | None], int] = {}
        self.last_address_id = 0
        self.last_author_id = 0
        self.recency: Recency | None = None
        """How far back the last entries of addresses lie, where that is known; shared with copies."""
        self._authors_by_word: dict[str, list[int]] = {}
        self._matched: OrderedDict[str, tuple[int, Matched]] = OrderedDict()

    def copy(self) -> Catalog:
        """A copy for another thread, which does not follow what this one learns later."""
        copied = Catalog()
        copied.addresses, copied.authors = dict(self.addresses), dict(self.authors)
        copied.address_ids, copied.author_ids = dict(self.address_ids), dict(self.author_ids)
        copied.last_address_id, copied.last_author_id = self.last_address_id, self.last_author_id
        copied.recency = self.recency
        copied._authors_by_word = {word: list(ids) for word, ids in self._authors_by_word.items()}
        return copied

    def refresh(self, db: sqlite3.Connection) -> None:
        """Read what was added."""
        addresses, address_ids = self.addresses, self.address_ids
        for number, raw, crc in db.execute(schema.NEW_ADDRESSES, (self.last_address_id,)):
            text = _address(number, raw, crc)
            if text is None:
                (first,) = db.execute(schema.FIRST_OF_ADDRESS, (number,)).fetchone()
                raise JournalCorrupt(f"the text of address {number} is damaged", first_bad_seq=first)
            addresses[number] = text
            address_ids[text] = number
            self.last_address_id = number
        for number, raw, raw_name, crc in db.execute(schema.NEW_AUTHORS, (self.last_author_id,)):
            subject, name = _text(raw), _text(raw_name)
            if subject is None or crc != small_row_checksum(number, subject, name):
                (first,) = db.execute(schema.FIRST_OF_AUTHOR, (number,)).fetchone()
                raise JournalCorrupt(f"the text of author {number} is damaged", first_bad_seq=first)
            self.add_author(number, Author(subject, name))

    def add_address(self, number: int, text: str) -> None:
        """Learn an address."""
        self.addresses[number] = text
        self.address_ids[text] = number
        self.last_address_id = number

    def add_author(self, number: int, author: Author) -> None:
        """Learn an author."""
        self.authors[number] = author
        self.author_ids[author] = number
        self.last_author_id = number
        for word in {author.subject, author.name}:
            if word is not None:
                self._authors_by_word.setdefault(word, []).append(number)

    def match(self, pattern: Pattern) -> Matched:
        """The known addresses that a pattern matches."""
        upto, matched = self._matched.pop(pattern.text, (0, _NOTHING))
        if upto < self.last_address_id:
            new = self._newly_matched(pattern, upto)
            if new:
                ids = matched.ids + new
                matched = Matched(ids, frozenset(ids), json.dumps(ids))
        self._matched[pattern.text] = (self.last_address_id, matched)
        if len(self._matched) > PATTERNS_MAX:
            self._matched.popitem(last=False)
        return matched

    def _newly_matched(self, pattern: Pattern, upto: int) -> list[int]:
        if pattern.is_literal:
            number = self.address_ids.get(pattern.text, 0)
            return [number] if number > upto else []
        prefix, matches = pattern.prefix, pattern.matches
        candidates = self.addresses.items() if not upto else self._added_since(upto)
        # An entry without an address is matched by `/**` alone, which never comes here.
        return [number for number, text in candidates if text and text.startswith(prefix) and matches(text)]

    def _added_since(self, upto: int) -> list[tuple[int, str]]:
        known = self.addresses
        return [
            (number, known[number]) for number in range(upto + 1, self.last_address_id + 1) if number in known
        ]

    def match_authors(self, word: str) -> list[int]:
        """The ids of the authors with this subject, session id or name."""
        return self._authors_by_word.get(word, [])


_NOTHING = Matched([], frozenset(), "[]")


def _address(number: int, raw: bytes, crc: int) -> str | None:
    """The text in the row of an address; None if the row is damaged."""
    text = _text(raw)
    # Where nothing has to be escaped, the words that the checksum is of can be had in a third of the time.
    is_checked = text is None or crc32(b"(%a, '%b')" % (number, raw)) - BIAS == crc
    return text if is_checked or crc == small_row_checksum(number, text) else None


def _text(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
