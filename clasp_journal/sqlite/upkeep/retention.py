"""How far back a journal has to reach: which entries a rule lets go.

Law: a run of retention ends with the rule kept, counting the entry in which the run itself is recorded;
so a second run right after it has nothing to do.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.extent import read_extent
from clasp_journal.sqlite.finder import spans_by_time
from clasp_journal.sqlite.meta import Meta
from clasp_journal.sqlite.transactions import reading
from clasp_journal.value import encode

SIZE_REACHED = 0.9
"""How full a journal is after it was cut for its size: room until the next cut."""


class Bounds(NamedTuple):
    """What is asked for; None asks for nothing."""

    age_us: int | None = None
    size_bytes: int | None = None
    entries: int | None = None


class Facts(NamedTuple):
    """What there is in the journal, as far as rules ask for it."""

    oldest_seq: int
    latest_seq: int
    size_bytes: int
    first_young_seq: int
    """Every entry before it is older than the rule for age allows; the oldest if there is no such rule."""


class Cut(NamedTuple):
    """Entries below a number can go, and which rule says so."""

    before_seq: int
    rule: str


def choose_cut(bounds: Bounds, facts: Facts) -> Cut | None:
    """The farthest cut that any bound asks for; None if all are kept already."""
    entries = facts.latest_seq - facts.oldest_seq + 1
    cuts = [Cut(facts.first_young_seq, "age")]
    if bounds.entries is not None and entries > bounds.entries:
        cuts.append(Cut(facts.latest_seq - max(bounds.entries - 1, 0) + 1, "count"))
    if bounds.size_bytes is not None and facts.size_bytes > bounds.size_bytes:
        kept = int(entries * SIZE_REACHED * bounds.size_bytes / facts.size_bytes)
        cuts.append(Cut(facts.latest_seq - kept + 1, "size"))
    farthest = max(cuts)
    return farthest if farthest.before_seq > facts.oldest_seq else None


def read_facts(db: sqlite3.Connection, catalog: Catalog, oldest_us: int | None) -> Facts:
    """Look the facts up; entries before `oldest_us` are too old."""
    with reading(db):
        catalog.refresh(db)
        oldest_seq, latest_seq = read_extent(db, Meta.read(db))
        within = Span(oldest_seq - 1, latest_seq)
        young = spans_by_time(db, catalog, within, (oldest_us, None))
        (pages,) = db.execute(schema.PAGE_COUNT).fetchone()
        (free_pages,) = db.execute(schema.FREE_PAGES).fetchone()
        (page_size_bytes,) = db.execute(schema.PAGE_SIZE).fetchone()
    first_young_seq = young[0].after_seq + 1 if young else latest_seq + 1
    return Facts(oldest_seq, latest_seq, (pages - free_pages) * page_size_bytes, first_young_seq)


def recorded(cut: Cut, now_us: int, oldest_seq: int) -> JournalEntry:
    """The entry that says what is removed, and why."""
    last_seq = cut.before_seq - 1
    details = encode(
        {"from": oldest_seq, "to": last_seq, "count": last_seq - oldest_seq + 1, "rule": cut.rule}
    )
    return JournalEntry(now_us, "", "", EntryKind.REMOVED, details=details)
