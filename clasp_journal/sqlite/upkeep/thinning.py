"""Thinning a file by rules: what went stands there as a blank, and acts behind it say so.

Laws: first it is counted what will go, without touching anything; then the acts are written, then the blanks,
then how far it came. So an interruption leaves no blank without an act, and the next run does what is left:
a blank is never looked at again. Other rules than the last time are carried out from the oldest entry on.
Work is done in slices, between which there is room for appends, and as much time for others.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from typing import NamedTuple

from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind
from clasp_journal.rules import Candidate, Rules, Sieve
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.extent import read_extent
from clasp_journal.sqlite.finder import spans_by_time
from clasp_journal.sqlite.meta import Meta
from clasp_journal.sqlite.new_names import NewNames
from clasp_journal.sqlite.rows import Row
from clasp_journal.sqlite.slicing import Slices
from clasp_journal.sqlite.storage import Storage
from clasp_journal.sqlite.transactions import reading, writing
from clasp_journal.sqlite.upkeep.blanks import blank_cells, overwriting, write_blanks
from clasp_journal.sqlite.worker import Worker
from clasp_journal.thinned import Thinned, act_of

ADDRESSES_IN_SQL_MAX = 2_000
ADDRESSES_AT_ONCE = 200
"""Addresses of which it is looked up at once what stays of them from earlier runs."""


class Going(NamedTuple):
    """An entry that goes."""

    seq: int
    line: int
    """Which rule says so."""
    superseding_seq: int


class Tally:
    """How much goes by which rule."""

    def __init__(self) -> None:
        self.entries: dict[int, int] = {}
        self._first: dict[int, int] = {}
        self._last: dict[int, int] = {}

    def add(self, going: Going) -> None:
        """Count an entry that goes."""
        seq, line, superseding_seq = going
        self.entries[line] = self.entries.get(line, 0) + 1
        self._first[line] = min(self._first.get(line, seq), seq)
        self._last[line] = max(self._last.get(line, 0), superseding_seq - 1)

    def told(self, rules: Rules) -> Iterator[Thinned]:
        """What acts have to say of it."""
        for line, entries in sorted(self.entries.items()):
            rule = rules.lines[line]
            excepted = tuple(map(Pattern.parse, rules.before(line)))
            yield Thinned(rule.pattern, rule.words, self._first[line], self._last[line], entries, excepted)


class Thinning:
    """One run of rules over an open journal. Whoever uses it holds the journal's upkeep lock."""

    def __init__(self, storage: Storage, rules: Rules) -> None:
        self._storage = storage
        self._writer = storage.writer
        self._rules = rules

    async def run(self, before_us: int, now_us: int) -> int:
        """Thin what is older than an instant, as far as that was not done; return how many entries went."""
        meta, told = self._writer.meta, str(self._rules)
        after_seq = meta.thinned_upto if meta.thinned_by == told else 0
        find_span = partial(
            _old_span, catalog=self._storage.catalog, after_seq=after_seq, before_us=before_us
        )
        span = await self._storage.reader.run(find_span, "thin")
        if span.after_seq >= span.upto_seq:
            return 0
        tally, earlier = await self._count(span)
        if tally.entries:
            acts = [act_of(told, at_us=now_us) for told in tally.told(self._rules)]
            await self._writer.append(acts, synced=True)
            async with overwriting(self._writer.worker):
                await self._sweep(span, self._writer.worker, self._write_blanks)
                for at in range(0, len(earlier), ADDRESSES_AT_ONCE):
                    part = earlier[at : at + ADDRESSES_AT_ONCE]
                    await self._writer.worker.run(partial(self._write_blanks, going=part), "thin")
        await self._writer.change_meta(thinned_upto=span.upto_seq, thinned_by=told)
        return sum(tally.entries.values())

    async def _count(self, span: Span) -> tuple[Tally, list[Going]]:
        """What goes of a span, and which entries that earlier runs have left."""
        tally, earlier = Tally(), list[Going]()

        def add(_: sqlite3.Connection, going: list[Going]) -> None:
            for each in going:
                tally.add(each)

        sweep = await self._sweep(span, self._storage.reader, add)
        kinds: dict[int, set[int]] = {}
        for address_id, kind in sweep.sieve.seen():
            kinds.setdefault(address_id, set()).add(kind)
        seen = iter(sorted(kinds.items()))
        while part := list(islice(seen, ADDRESSES_AT_ONCE)):
            job = partial(sweep.look_before, seen=part, upto_seq=span.after_seq)
            earlier += await self._storage.reader.run(job, "thin")
        for going in earlier:
            tally.add(going)
        return tally, earlier

    async def _sweep(
        self, span: Span, worker: Worker, take: Callable[[sqlite3.Connection, list[Going]], None]
    ) -> _Sweep:
        """Have all that goes taken, from the newest to the oldest."""
        on_reader = worker is self._storage.reader
        catalog = self._storage.catalog if on_reader else self._writer.entries.catalog
        sweep, slices, upto_seq = _Sweep(self._rules, catalog), Slices(), span.upto_seq
        while upto_seq > span.after_seq:
            part = Span(max(span.after_seq, upto_seq - slices.entries), upto_seq)
            slices.begin()
            await worker.run(partial(sweep.take_slice, span=part, take=take), "thin")
            slices.end()
            upto_seq = part.after_seq
            await slices.rest()
        return sweep

    def _write_blanks(self, db: sqlite3.Connection, going: list[Going]) -> None:
        if not going:
            return
        names = NewNames(self._writer.entries.catalog)
        nobody = names.author_id("", None)
        with writing(db):
            rows = db.execute(schema.entries_at(), (json.dumps([each.seq for each in going]),)).fetchall()
            write_blanks(db, [blank_cells(row, EntryKind.REMOVED, (row[4], nobody)) for row in rows])
            names.insert(db)
        names.adopt()


class _Sweep:
    """One way through the log, from the newest to the oldest, with what has to be remembered on it."""

    def __init__(self, rules: Rules, catalog: Catalog) -> None:
        self.sieve = Sieve()
        self._rules = rules
        self._catalog = catalog
        self._lines: dict[int, int | None] = {}
        self._thinned_ids = "[]"
        self._upto_address_id = 0

    def take_slice(
        self, db: sqlite3.Connection, span: Span, take: Callable[[sqlite3.Connection, list[Going]], None]
    ) -> None:
        """Find what goes of a span, and have it taken."""
        with reading(db):
            self._catalog.refresh(db)
            self._learn_addresses()
            ids = self._thinned_ids if len(self._lines) <= ADDRESSES_IN_SQL_MAX else None
            rows = db.execute(schema.CANDIDATES, (*span, ids)).fetchall() if self._lines else []
        take(db, [going for row in rows if (going := self._judge(Candidate(*row)))])

    def look_before(
        self, db: sqlite3.Connection, seen: list[tuple[int, set[int]]], upto_seq: int
    ) -> list[Going]:
        """What goes of that which earlier runs have left: up to the first of each kind that stays."""
        found: list[Going] = []
        with reading(db):
            for address_id, kinds in seen:
                with closing(db.execute(schema.CANDIDATES_OF_ADDRESS, (upto_seq, address_id))) as rows:
                    found += self._going_before(rows, kinds)
        return found

    def _going_before(self, rows: Iterable[Row], kinds: set[int]) -> Iterator[Going]:
        for row in rows:
            entry = Candidate(*row)
            if entry.kind not in kinds and entry.kind != EntryKind.EXPIRE:
                continue
            going = self._judge(entry)
            if going is not None:
                yield going
            else:
                kinds.discard(entry.kind)
                if not kinds:
                    return

    def _judge(self, entry: Candidate) -> Going | None:
        line = self._lines.get(entry.address_id)
        if line is None:
            return None
        superseding_seq = self.sieve.superseding(entry, self._rules.lines[line])
        return Going(entry.seq, line, superseding_seq) if superseding_seq else None

    def _learn_addresses(self) -> None:
        """Find out which addresses are thinned, and by which line."""
        known = self._catalog.addresses
        for address_id in range(self._upto_address_id + 1, self._catalog.last_address_id + 1):
            line = self._rules.place_of(known.get(address_id, ""))
            if line is not None and self._rules.lines[line].thins:
                self._lines[address_id] = line
        if self._upto_address_id < self._catalog.last_address_id:
            self._upto_address_id = self._catalog.last_address_id
            self._thinned_ids = json.dumps(list(self._lines))


def _old_span(db: sqlite3.Connection, catalog: Catalog, after_seq: int, before_us: int) -> Span:
    """The entries behind a number that stand before the first that is not older than an instant."""
    with reading(db):
        catalog.refresh(db)
        oldest_seq, latest_seq = read_extent(db, Meta.read(db))
        within = Span(max(after_seq, oldest_seq - 1), latest_seq)
        young = spans_by_time(db, catalog, within, (before_us, None))
    return Span(within.after_seq, young[0].after_seq if young else max(latest_seq, within.after_seq))
