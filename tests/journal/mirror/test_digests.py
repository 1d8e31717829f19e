"""The digest of an entry is the same wherever it is asked for, and finds what was changed."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from clasp_journal.entry import JournalEntry
from clasp_journal.journal import Cursor
from clasp_journal.mirror import digest_of_entry, forget_lines, verify_digests
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.authors import a_crowd
from tests.journal.mirror.stage import Files


async def test_a_line_that_was_forgotten_keeps_the_digest_of_its_entry(tmp_path: Path) -> None:
    """What a mirror says of an entry that is gone is what was said of it when it was there."""
    files = Files(tmp_path)
    async with files.journal() as journal:
        await journal.append(a_crowd(30))
        digests = {entry.seq: digest_of_entry(entry).hex() for entry in await journal.query(author="desk")}
        await journal.forget("desk")
    forget_lines(files.mirror)
    told = [json.loads(line) for line in files.lines()]
    assert {line["seq"]: line["digest"] for line in told if "digest" in line} == digests


async def test_whoever_kept_digests_finds_what_is_another_entry_now(tmp_path: Path) -> None:
    """Forgotten or compacted; what is as it was is not named, also by a reader beside the writer."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal, SqliteJournal(path, read_only=True) as reader:
        await journal.append(a_crowd(30))
        digests = {entry.seq: digest_of_entry(entry) for entry in await reader.query()}
        assert await verify_digests(reader, digests) == []
        assert await verify_digests(reader, {7: digests[8], 99: digests[1]}) == [7, 99]
        await journal.forget("desk")
        assert await verify_digests(reader, digests) == [*range(1, 31, 3)]
        await journal.compact(6)
        assert await verify_digests(reader, digests) == [1, 2, 3, 4, 5, *range(7, 31, 3)]
        assert await verify_digests(reader, {}) == []


async def test_a_reader_in_another_place_fetches_what_the_writer_appends(tmp_path: Path) -> None:
    """Step by step behind its cursor; another life of the journal is said to be one."""
    path, found = tmp_path / "j.db", list[JournalEntry]()
    cursor: Cursor | None = None
    async with SqliteJournal(path) as journal, SqliteJournal(path, read_only=True) as reader:
        for _ in range(4):
            await journal.append(a_crowd(6))
            fetched = await reader.fetch_since(cursor)
            assert (fetched.is_incomplete, fetched.is_caught_up) == (False, True)
            found, cursor = found + fetched.entries, fetched.cursor
        assert found == await journal.query()
        await journal.compact(5, force=True)
        fetched = await reader.fetch_since(cursor)
        assert (fetched.entries, fetched.is_incomplete) == ([], True)
        assert fetched.cursor == Cursor(journal.epoch, 24)
        assert not (await reader.fetch_since(fetched.cursor)).is_incomplete
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM entries").fetchone() == (20,)
