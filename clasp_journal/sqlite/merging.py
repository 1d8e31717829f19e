"""Which numbers come next of many addresses, told by their index alone.

First those addresses are chosen whose ends come first: with as many as entries are wanted, none that is left
out can have one before the last of these ends. Of these, numbers are read up to there, so many of each at
most. Rows are then only read of numbers that are served.

Laws: of what `Numbers` covers, no number is missing; one look reads at most `MERGE_SLICE_ENTRIES` numbers. A
look that was not enough is followed by a wider one.
"""

from __future__ import annotations

import json
import sqlite3
from typing import NamedTuple

from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Catalog, Matched
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.planner import MERGE_SLICE_ENTRIES
from clasp_journal.sqlite.recency import Recency

GROWTH = 4
"""A look is so many times as wide as the one before it."""


class Numbers(NamedTuple):
    """Some numbers in the order of the search."""

    seqs: list[int]
    reached: int
    """From the beginning of the span to here, all are among them."""


class _Choice(NamedTuple):
    """Addresses, and the part of a span in which no other has an entry."""

    as_json: str
    addresses: int
    part: Span
    is_all: bool


class Merging:
    """One search's way through the index, look by look."""

    def __init__(self, catalog: Catalog, *, backwards: bool) -> None:
        self._catalog = catalog
        self._backwards = backwards
        self._width = 1

    def knows_ends(self, span: Span) -> bool:
        """Whether the ends of most addresses need not be looked for."""
        return self._recency(span) is not None

    def look(self, db: sqlite3.Connection, span: Span, matched: Matched, wanted: int) -> Numbers:
        """The next numbers of these addresses, as many as are wanted if that is not too much for one look."""
        wanted = min(wanted * self._width, MERGE_SLICE_ENTRIES)
        self._width *= GROWTH
        chosen = self._choose(db, span, matched, wanted)
        part = chosen.part
        end = part.after_seq + 1 if self._backwards else part.upto_seq
        if not chosen.addresses:
            return Numbers([], end)
        likely = GROWTH * wanted // chosen.addresses + 1 if chosen.is_all else wanted
        each = max(1, min(wanted, likely, MERGE_SLICE_ENTRIES // chosen.addresses))
        statement = schema.numbers_of_addresses(backwards=self._backwards)
        (told,) = db.execute(statement, (*part, chosen.as_json, each)).fetchone()
        runs = [list(map(int, run.split(b","))) for run in told.split(b";")] if told else []
        # Behind a run that was cut there may be more.
        cut = [run for run in runs if len(run) == each]
        if self._backwards:
            end = max([end, *map(min, cut)])
            return Numbers(sorted((seq for run in runs for seq in run if seq >= end), reverse=True), end)
        end = min([end, *map(max, cut)])
        return Numbers(sorted(seq for run in runs for seq in run if seq <= end), end)

    def _choose(self, db: sqlite3.Connection, span: Span, matched: Matched, most: int) -> _Choice:
        count = len(matched.ids)
        if count <= most:
            return _Choice(matched.as_json, count, span, is_all=True)
        recency = self._recency(span)
        if recency is None:
            cells = (*span, matched.as_json, most)
            ends = db.execute(schema.ends(last=self._backwards), cells).fetchall()
            ends = [(seq, address_id) for seq, address_id in ends if seq is not None]
        else:
            ends = self._remembered_ends(db, span, matched.ids, recency)
            ends = sorted(ends, reverse=True)[:most]
        part = span
        if len(ends) == most:
            last = ends[-1][0]
            part = Span(last - 1, span.upto_seq) if self._backwards else Span(span.after_seq, last)
        return _Choice(json.dumps([address_id for _, address_id in ends]), len(ends), part, is_all=False)

    def _recency(self, span: Span) -> Recency | None:
        """What is known of the last entries, if it covers a span that is searched from its end."""
        recency = self._catalog.recency
        return recency if self._backwards and recency and span.upto_seq <= recency.upto_seq else None

    def _remembered_ends(
        self, db: sqlite3.Connection, span: Span, address_ids: list[int], recency: Recency
    ) -> list[tuple[int, int]]:
        """A bound of each address that may have an entry in a span. What is not remembered is looked for."""
        after, upto = span
        bounds = list(zip(recency.bounds(address_ids), address_ids, strict=True))
        ends = [place for place in bounds if after < place[0] <= upto]
        if loose := [address_id for bound, address_id in bounds if not 0 < bound <= upto]:
            rows = db.execute(schema.ends(last=True), (*span, json.dumps(loose), -1)).fetchall()
            found = {address_id: seq for seq, address_id in rows if seq is not None}
            recency.learn(loose, found, span)
            ends += [(seq, address_id) for address_id, seq in found.items()]
        return ends
