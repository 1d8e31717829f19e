"""Reading what there is, to say whether all of it is what was written.

It checks the structure of the file and its index, that the numbers have no gap, every checksum, that what
people see in SQL is what is served, that searching by time misses nothing, that every snapshot equals the
fold of the entries before it (but for addresses whose last change was thinned), and that nothing is left of
what was forgotten. The short way checks the same
but for structure and views, of all snapshots and of the entries since the newest snapshot but one; of those
before, it counts that none is missing.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from clasp_journal.errors import JournalCorrupt, JournalUnavailable
from clasp_journal.forgetting import SETTLING, Forgotten, is_blank, told_by
from clasp_journal.restore import Snapshot, State
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.birth import read_version
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.clock import Run, Span
from clasp_journal.sqlite.extent import Extent, read_head, read_runs
from clasp_journal.sqlite.forms import form_of
from clasp_journal.sqlite.meta import NOTHING_TO_FORGET
from clasp_journal.sqlite.rows import Row, entry_of
from clasp_journal.sqlite.snapshots import Header, SnapshotReading, read_headers
from clasp_journal.sqlite.transactions import reading
from clasp_journal.sqlite.trouble import inspect_before_opening, is_damage
from clasp_journal.sqlite.upkeep.forgetting import share_of
from clasp_journal.sqlite.view_tables import damaged_tables
from clasp_journal.sqlite.worker import Worker
from clasp_journal.thinned import was_thinned

READ_AT_ONCE = 2_000
PROBLEMS_MAX = 50
"""More are not told: the first ones say what has to be done."""


@dataclass
class Verification:
    """What was looked at, and what is wrong."""

    entries: int = 0
    """How many entries were read."""
    snapshots: int = 0
    forgotten: int = 0
    """How many of the entries are blanks, where others were forgotten."""
    thinned: int = 0
    """How many of the entries are blanks, where a rule let others go."""
    from_seq: int = 1
    """The first entry that was read."""
    first_bad_seq: int | None = None
    """The first entry that is missing or not what was written."""
    problems: list[str] = field(default_factory=list)

    @property
    def is_intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def tell(self, problem: str, bad_seq: int | None = None) -> None:
        """Add a problem."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)
        if bad_seq is not None and (self.first_bad_seq is None or bad_seq < self.first_bad_seq):
            self.first_bad_seq = bad_seq


async def verify(
    path: str, *, full: bool = True, on_progress: Callable[[int, int], None] | None = None
) -> Verification:
    """Look at a file, also at one that is too damaged to be opened as a journal.

    `on_progress` is told how many entries of how many were looked at.
    """
    await asyncio.to_thread(inspect_before_opening, path)
    worker = await Worker.start(path, "ro")
    try:
        await worker.run(_prepare, "verify")
        return await Verifier(worker, full=full, on_progress=on_progress).run()
    finally:
        await worker.close()


def _prepare(db: sqlite3.Connection) -> None:
    for setting in schema.READER_SETTINGS:
        db.execute(setting)
    if read_version(db) == 0:
        raise JournalUnavailable("there is no journal in this file yet")


class Verifier:
    """One verification, by jobs on a connection of its own."""

    def __init__(
        self, worker: Worker, *, full: bool = True, on_progress: Callable[[int, int], None] | None = None
    ) -> None:
        self._worker = worker
        self._full = full
        self._on_progress = on_progress
        self._catalog = Catalog()
        self._found = Verification()
        self._extent = Extent(1, 0)
        self._runs: list[Run] = []
        self._highest_us: int | None = None
        self._state: State | None = None
        self._thinned: set[str] = set()
        """Addresses whose last entry was thinned: what they were then, a snapshot knows, and no entry."""
        self._index_is_wrong = False
        self._acts: list[tuple[int, Forgotten]] = []
        self._unfinished_after = sys.maxsize
        self._snapshots: dict[int, list[Snapshot]] = {}

    async def run(self) -> Verification:
        """Look at everything, or at what is most likely damaged."""
        await self._worker.run(self._look_at_structure, "verify")
        await self._load_snapshots()
        begin = after_seq = self._extent.oldest_seq - 1 if self._full else await self._short_way()
        self._found.from_seq = after_seq + 1
        if after_seq == 0:
            self._state = State()
        self._compare_snapshots(after_seq)
        while after_seq < self._extent.latest_seq:
            after_seq = await self._worker.run(self._entries_after(after_seq), "verify")
            if self._on_progress is not None:
                self._on_progress(after_seq - begin, self._extent.latest_seq - begin)
        for act_seq, told in self._acts:
            await self._look_for_leftovers(act_seq, told)
        if self._full:
            await self._worker.run(self._look_at_views, "verify")
        if self._index_is_wrong and self._found.is_intact:
            self._found.tell("the index of addresses does not hold what the entries say")
        return self._found

    async def _look_for_leftovers(self, act_seq: int, told: Forgotten) -> None:
        """Say it if something is left of what an act removed; whose marker is set, is not done yet."""
        if act_seq > self._unfinished_after:
            return
        for after_seq in range(told.first_seq - 1, told.last_seq, READ_AT_ONCE * 10):
            part = Span(after_seq, min(after_seq + READ_AT_ONCE * 10, told.last_seq))
            job = partial(share_of, catalog=self._catalog, author=told.author, span=part)
            left = await self._worker.run(job, "verify")
            if left.entries:
                reason = f"entry {left.first_seq} should have been forgotten: entry {act_seq} says so"
                self._found.tell(reason, left.first_seq)
                return

    async def _short_way(self) -> int:
        """Count the entries; return the number behind which they are read."""
        oldest_seq, latest_seq = self._extent
        counted: list[int] = []

        def count(db: sqlite3.Connection) -> None:
            with self._telling("the index of addresses"):
                counted.extend(db.execute(schema.COUNT_ENTRIES, (oldest_seq, latest_seq)).fetchone())

        await self._worker.run(count, "verify")
        if counted != [latest_seq - oldest_seq + 1]:
            # The index may be wrong, or the entries gone: reading them all tells which.
            self._index_is_wrong = True
            return oldest_seq - 1
        behind = sorted(self._snapshots)[-2:-1]
        return max([oldest_seq - 1, *behind])

    def _look_at_structure(self, db: sqlite3.Connection) -> None:
        with self._telling("the file"):
            for (line,) in db.execute(schema.INTEGRITY) if self._full else ():
                if line != b"ok":
                    self._found.tell(f"structure: {line.decode('utf-8', 'replace')}")
        with self._telling("the facts"):
            meta, self._extent = read_head(db)
            if meta.forgetting_after != NOTHING_TO_FORGET:
                self._unfinished_after = meta.forgetting_after
        with self._telling("the clock steps"):
            self._runs = read_runs(db)
        with self._telling("the names"):
            self._catalog.refresh(db)

    def _look_at_views(self, db: sqlite3.Connection) -> None:
        with reading(db), self._telling("the views"):
            for table in damaged_tables(db):
                self._found.tell(f"a row of {table} is damaged; the view can be built anew")

    async def _load_snapshots(self) -> None:
        def read(db: sqlite3.Connection) -> None:
            with self._telling("the snapshots"):
                headers.extend(read_headers(db))

        headers: list[Header] = []
        await self._worker.run(read, "verify")
        for header in headers:
            if not header.complete:
                continue
            snapshot = SnapshotReading(self._catalog, header)
            while not await self._worker.run(snapshot.advance, "verify"):
                pass
            self._found.snapshots += not snapshot.is_gone
            if snapshot.is_damaged and not snapshot.is_gone:
                self._found.tell(f"the snapshot at entry {header.at_seq} is damaged")
            elif not snapshot.is_gone:
                self._snapshots.setdefault(header.at_seq, []).append(snapshot.snapshot())

    def _entries_after(self, after_seq: int) -> Callable[[sqlite3.Connection], int]:
        upto_seq = min(after_seq + READ_AT_ONCE, self._extent.latest_seq)

        def job(db: sqlite3.Connection) -> int:
            with reading(db):
                try:
                    rows = db.execute(schema.scan(), (after_seq, upto_seq)).fetchall()
                except sqlite3.DatabaseError as error:
                    if not is_damage(error):
                        raise
                    rows = self._readable_rows(db, after_seq, upto_seq)
            expected = after_seq + 1
            for row in rows:
                if row[0] != expected:
                    self._miss(expected, row[0] - 1)
                self._look_at(row)
                expected = row[0] + 1
            if expected <= upto_seq:
                self._miss(expected, upto_seq)
            return upto_seq

        return job

    def _readable_rows(self, db: sqlite3.Connection, after_seq: int, upto_seq: int) -> list[Row]:
        rows = []
        for seq in range(after_seq + 1, upto_seq + 1):
            with self._telling(f"entry {seq}", seq):
                rows += db.execute(schema.ENTRY_AT, (seq,)).fetchall()
        return rows

    def _look_at(self, row: Row) -> None:
        self._found.entries += 1
        with self._telling(f"entry {row[0]}", row[0]):
            entry = entry_of(row, self._catalog)
            value_type, value, raw = form_of(entry.encoded)
            shown = value.encode() if isinstance(value, str) else value
            if (value_type, shown, raw) != row[6:9]:
                self._found.tell(f"entry {row[0]} shows another value than it has", row[0])
            self._look_at_time(entry.seq, entry.timestamp)
            self._found.forgotten += is_blank(entry)
            told = told_by(entry)
            if told is not None:
                self._acts.append((entry.seq, told))
            if was_thinned(entry):
                self._found.thinned += 1
                self._thinned.add(entry.address)
            elif entry.kind in SETTLING:
                self._thinned.discard(entry.address)
            if self._state is not None:
                self._state.apply(entry)
            self._compare_snapshots(entry.seq)

    def _look_at_time(self, seq: int, at_us: int) -> None:
        while len(self._runs) > 1 and self._runs[1].seq <= seq:
            self._runs.pop(0)
            self._highest_us = None
        self._highest_us = at_us if self._highest_us is None else max(at_us, self._highest_us)
        if self._runs and self._highest_us - at_us > self._runs[0].slack_us:
            self._found.tell(f"searching by time may miss entry {seq}", seq)

    def _miss(self, first_seq: int, last_seq: int) -> None:
        self._found.tell(f"entries {first_seq} to {last_seq} are missing", first_seq)
        self._state = None

    def _compare_snapshots(self, at_seq: int) -> None:
        for snapshot in self._snapshots.get(at_seq, ()):
            kept = State(snapshot.params, snapshot.revision_floor)
            folded = self._state
            if folded is not None and not folded.forgotten_seq and self._told(kept) != self._told(folded):
                self._found.tell(f"the snapshot at entry {at_seq} is not what the entries amount to")
            if folded is None or folded.forgotten_seq or self._thinned:
                self._state = kept
                self._thinned.clear()

    def _told(self, state: State) -> tuple[object, ...]:
        """What entries tell of a state."""
        live, tombstones, unknown = state.live, state.tombstones, self._thinned
        if unknown:
            live = {address: param for address, param in live.items() if address not in unknown}
            tombstones = {address: param for address, param in tombstones.items() if address not in unknown}
        return live, tombstones, state.revision_floor

    @contextmanager
    def _telling(self, what: str, bad_seq: int | None = None) -> Iterator[None]:
        """Note damage that is met in the block as a problem, and go on behind it."""
        try:
            yield
        except JournalCorrupt as error:
            self._found.tell(error.reason, error.first_bad_seq or bad_seq)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            self._found.tell(f"{what}: {error}", bad_seq)
