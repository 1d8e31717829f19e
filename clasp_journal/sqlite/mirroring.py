"""A journal and its mirror brought to the same end when both are opened to be written.

The story is told in `clasp_journal.mirror`. Laws: the last entry that both have is the same, otherwise
nothing is touched; what only the mirror has is taken over, what only SQLite has is copied, each under its
own number.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import JournalCorrupt, JournalUnavailable
from clasp_journal.forgetting import is_blank
from clasp_journal.mirror.chain import Position, digest_of
from clasp_journal.mirror.lines import body_of, entry_of_body
from clasp_journal.mirror.options import MirrorOptions
from clasp_journal.mirror.trouble import broken_mirror
from clasp_journal.mirror.writing import Mirror
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.extent import Extent, read_extent
from clasp_journal.sqlite.meta import Meta
from clasp_journal.sqlite.rows import entry_of
from clasp_journal.sqlite.writer import EntryWriter
from clasp_journal.thinned import was_thinned

COPIED_AT_ONCE = 1_000

log = logging.getLogger("clasp_journal")


def attach(db: sqlite3.Connection, writer: EntryWriter, meta: Meta, options: MirrorOptions) -> Mirror:
    """Open the mirror of an open journal; from now on every append becomes lines, too."""
    mirror = Mirror(options)
    try:
        extent = read_extent(db, meta)
        _recognize(db, writer, meta, mirror)
        _begin(mirror, meta, extent)
        _take_over(db, writer, mirror)
        mirror.note_removed(extent.oldest_seq if extent.oldest_seq > 1 else 0)
        _copy_over(db, writer, mirror)
        mirror.note_epoch(meta.epoch)
        mirror.sync()
    except BaseException:
        mirror.release()
        raise
    writer.mirror = mirror
    return mirror


def _recognize(db: sqlite3.Connection, writer: EntryWriter, meta: Meta, mirror: Mirror) -> None:
    """Refuse the mirror of another journal, and one that is broken without an honest reason."""
    if mirror.at != Position() and not meta.was_once(mirror.at.epoch):
        reason = (
            f"it is the mirror of another journal (epoch {mirror.at.epoch}, not {meta.epoch}); "
            "a journal that was lost is brought back with: clasp-journal mirror rebuild"
        )
        raise JournalUnavailable(reason, path=mirror.path, operation="open")
    if mirror.broken is not None:
        if mirror.at in (Position(), mirror.at._replace(epoch=meta.epoch)):
            raise broken_mirror(mirror.broken)
        aside = mirror.set_tail_aside()
        log.error("the machine stopped while the mirror was written: its damaged end was copied to %s", aside)
    seq = min(mirror.at.seq, writer.latest_seq)
    row = db.execute(schema.ENTRY_AT, (seq,)).fetchone()
    if row is None:
        return
    entry = entry_of(row, writer.catalog)
    if is_blank(entry) or was_thinned(entry):
        # It was removed here, so nothing can be compared; a mirror that was left out meanwhile gets the act.
        return
    ours, theirs = digest_of(body_of(entry, seq).encode()), mirror.digest_at(seq)
    if theirs is not None and ours != theirs:
        reason = f"entry {seq} is another one there (digest {theirs.hex()}) than here ({ours.hex()})"
        raise JournalCorrupt(reason, path=mirror.path, operation="open", first_bad_seq=seq)


def _begin(mirror: Mirror, meta: Meta, extent: Extent) -> None:
    if mirror.torn_bytes:
        log.warning(
            "%s ends with %d bytes of a torn append: they are cut off", mirror.path, mirror.torn_bytes
        )
    if mirror.is_new:
        mirror.begin(meta.epoch, extent.oldest_seq - 1)
    else:
        mirror.begin(mirror.at.epoch)


def _take_over(db: sqlite3.Connection, writer: EntryWriter, mirror: Mirror) -> None:
    """Append what only the mirror has."""
    first = writer.latest_seq + 1
    if mirror.at.seq < first:
        return

    def entries() -> Iterator[JournalEntry]:
        for expected, line in enumerate(mirror.lines_after(first - 1), first):
            if line.seq != expected or not line.body:
                reason = f"entry {expected} is in neither; clasp-journal mirror rebuild puts in what there is"
                raise JournalUnavailable(reason, path=mirror.path, operation="open")
            yield entry_of_body(line.body)

    writer.append(db, entries(), synced=True)
    log.warning("entries %d to %d were in the mirror only, and are taken over", first, writer.latest_seq)


def _copy_over(db: sqlite3.Connection, writer: EntryWriter, mirror: Mirror) -> None:
    """Write what only SQLite has."""
    first = after_seq = mirror.expected_seq - 1
    while after_seq < writer.latest_seq:
        upto_seq = min(after_seq + COPIED_AT_ONCE, writer.latest_seq)
        rows = db.execute(schema.scan(), (after_seq, upto_seq)).fetchall()
        if len(rows) != upto_seq - after_seq:
            missing = min(set(range(after_seq + 1, upto_seq + 1)).difference(row[0] for row in rows))
            raise JournalCorrupt(f"entry {missing} is missing", first_bad_seq=missing)
        with mirror.transaction() as transaction:
            transaction.add_all([entry_of(row, writer.catalog) for row in rows], after_seq)
        after_seq = upto_seq
    if after_seq > first:
        log.info("entries %d to %d are copied into the mirror", first + 1, after_seq)
