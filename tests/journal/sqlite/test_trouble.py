"""Whatever is wrong with the file or its place: a typed error with path and operation, never silence."""

import errno
import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from clasp_journal.errors import (
    JournalClosed,
    JournalCorrupt,
    JournalError,
    JournalLocked,
    JournalTooNew,
    JournalUnavailable,
)
from clasp_journal.sqlite import SqliteJournal, set_aside
from tests.journal.sqlite.making import START_US, facts, filled, folded, was_set


async def must_fail(kind: type[JournalError], path: Path, **options: bool) -> JournalError:
    """Open a journal in vain."""
    with pytest.raises(kind) as caught:
        await SqliteJournal(path, **options).open()  # type: ignore[arg-type]
    assert caught.value.path is not None
    assert caught.value.path.startswith(str(path))
    assert caught.value.operation
    return caught.value


def garbage(path: Path) -> None:
    """Not a database at all."""
    path.write_bytes(b"no database " * 1_000)


def cut_in_half(path: Path) -> None:
    """A copy that ended too early."""
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def cut_within_a_page(path: Path) -> None:
    """The same, not at the end of a page."""
    os.truncate(path, path.stat().st_size // 2 - 100)


def emptied_beside_a_log(path: Path) -> None:
    """A database of no bytes whose write-ahead log has some."""
    os.truncate(path, 0)
    path.with_name(path.name + "-wal").write_bytes(b"\x37\x7f\x06\x82" + b"x" * 5_000)


def log_of_garbage(path: Path) -> None:
    """A write-ahead log that SQLite would take for an empty one."""
    path.with_name(path.name + "-wal").write_bytes(b"garbage " * 1_000)


def without_tables(path: Path) -> None:
    """Somebody removed what was in it."""
    db = sqlite3.connect(path)
    db.execute("DROP VIEW params")
    db.execute("DROP VIEW entries")
    db.execute("DROP TABLE entry")
    db.close()


def without_the_last_entry(path: Path) -> None:
    """The log ends before the number with which it was closed."""
    db = sqlite3.connect(path)
    db.execute("DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)")
    db.commit()
    db.close()


def with_a_schema_that_is_no_text(path: Path) -> None:
    """SQLite quotes it in its complaint, byte by byte."""
    path.write_bytes(path.read_bytes().replace(b"CREATE VIEW", b"CREAT\xff VIEW", 1))


def with_facts_that_point_nowhere(path: Path) -> None:
    """SQLite finds rows where there are none, and nulls where none may be."""
    db = sqlite3.connect(path)
    ((page,),) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'meta'").fetchall()
    db.close()
    content = bytearray(path.read_bytes())
    pointers = (page - 1) * 4096 + 8
    content[pointers : pointers + 14] = b"garbagegarbage"
    path.write_bytes(content)


DAMAGES: list[Callable[[Path], None]] = [
    garbage,
    cut_in_half,
    cut_within_a_page,
    emptied_beside_a_log,
    log_of_garbage,
    without_the_last_entry,
    with_a_schema_that_is_no_text,
    with_facts_that_point_nowhere,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("read_only", [False, True], ids=["writer", "reader"])
async def test_a_damaged_file_is_refused(
    damage: Callable[[Path], None], read_only: bool, tmp_path: Path
) -> None:
    """Nothing is silently empty, and nothing is touched."""
    path = tmp_path / "j.db"
    await filled(path, [was_set(f"/a/{n}", n) for n in range(2_000)])
    damage(path)
    before = path.read_bytes()
    await must_fail(JournalCorrupt, path, read_only=read_only)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_a_damaged_file_is_set_aside_and_a_new_journal_begins(
    damage: Callable[[Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """On a new epoch, the old bytes under a new name, and the log says so."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        await journal.append([was_set(f"/a/{n}", n) for n in range(2_000)])
        before = journal.epoch
    damage(path)
    damaged = path.read_bytes()
    with caplog.at_level(logging.ERROR, "clasp_journal"):
        async with SqliteJournal(path, on_corrupt="set_aside") as journal:
            assert await journal.is_empty()
            assert journal.epoch != before
            assert await journal.append(was_set("/a", 1)) == 1
    (aside,) = [each for each in tmp_path.glob("j.db.damaged-*") if not each.name.endswith(("-wal", "-shm"))]
    assert aside.read_bytes() == damaged
    assert str(aside) in caplog.text


def test_setting_aside_never_overwrites(tmp_path: Path) -> None:
    """Twice in one second gives two names."""
    names = []
    for turn in range(3):
        (tmp_path / "j.db").write_text(str(turn))
        (tmp_path / "j.db-wal").write_text(f"wal {turn}")
        names.append(set_aside(str(tmp_path / "j.db")))
    assert [Path(name).read_text() for name in names] == ["0", "1", "2"]
    assert [Path(name + "-wal").read_text() for name in names] == ["wal 0", "wal 1", "wal 2"]


@pytest.mark.parametrize("renamed", range(3))
async def test_setting_aside_that_is_cut_short_is_finished_by_the_next(tmp_path: Path, renamed: int) -> None:
    """A database without its write-ahead log would be a journal that has forgotten what was acknowledged."""
    path = tmp_path / "j.db"
    await filled(path, [was_set("/a", 1)])
    log_of_garbage(path)
    path.with_name("j.db-shm").touch()
    names = []

    def stop_after_some(before: str, after: str) -> None:
        if len(names) == renamed:
            raise OSError(errno.EIO, "the machine stops")
        names.append(after)
        os.replace(before, after)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.rename", stop_after_some)
        with pytest.raises(JournalUnavailable):
            set_aside(str(path))
    async with SqliteJournal(path, on_corrupt="set_aside") as journal:
        assert await journal.is_empty()
    assert sum(file.stat().st_size > 0 for file in tmp_path.glob("j.db.damaged-*")) == 2


async def test_a_reader_is_told_that_its_file_was_replaced(tmp_path: Path) -> None:
    """It does not wait for ever for entries that go elsewhere."""
    path = tmp_path / "j.db"
    await filled(path, [was_set("/a", 1)])
    async with SqliteJournal(path, read_only=True) as reader:
        assert await reader.latest_seq() == 1
        set_aside(str(path))
        await filled(path, [was_set("/b", 2), was_set("/b", 3)])
        with pytest.raises(JournalUnavailable, match="replaced"):
            await reader.latest_seq()


@pytest.mark.parametrize("taken", ["j.db", "j.db-wal"])
async def test_a_writer_whose_file_was_taken_away_commits_nothing(taken: str, tmp_path: Path) -> None:
    """What it wrote would be gone with the last who has it open. Put back, the file takes entries again."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        assert await journal.append(was_set("/a", 1)) == 1
        (tmp_path / taken).rename(tmp_path / "elsewhere")
        with pytest.raises(JournalUnavailable, match="moved, removed or replaced"):
            await journal.append(was_set("/a", 2))
        (tmp_path / taken).touch()
        with pytest.raises(JournalUnavailable, match="moved, removed or replaced"):
            await journal.append(was_set("/a", 3), synced=True)
        (tmp_path / "elsewhere").replace(tmp_path / taken)
        assert await journal.append(was_set("/a", 4)) == 2
    async with SqliteJournal(path) as journal:
        assert [entry.value for entry in await journal.query()] == [1, 4]


async def test_a_file_of_no_bytes_alone_is_a_fresh_journal(tmp_path: Path) -> None:
    """As `touch` or an interrupted creation leaves it."""
    path = tmp_path / "j.db"
    path.touch()
    await must_fail(JournalUnavailable, path, read_only=True)
    async with SqliteJournal(path) as journal:
        assert await journal.append(was_set("/a", 1)) == 1


async def test_what_is_no_file_is_unavailable(tmp_path: Path) -> None:
    """A directory, a missing directory, and, for a reader, a missing file."""
    (tmp_path / "folder").mkdir()
    await must_fail(JournalUnavailable, tmp_path / "folder")
    await must_fail(JournalUnavailable, tmp_path / "nowhere" / "j.db")
    await must_fail(JournalUnavailable, tmp_path / "missing.db", read_only=True)
    assert not (tmp_path / "missing.db").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
async def test_a_read_only_directory_is_unavailable_to_a_writer(tmp_path: Path) -> None:
    """Before anything is changed."""
    tmp_path.chmod(0o500)
    await must_fail(JournalUnavailable, tmp_path / "j.db")
    tmp_path.chmod(0o700)


async def test_a_reader_is_told_that_a_change_was_cut_short(tmp_path: Path) -> None:
    """A process that was killed while it made the file; who reads must not take that back."""
    path = tmp_path / "j.db"
    killed = (
        "import os, sqlite3\n"
        f"db = sqlite3.connect({str(path)!r}, isolation_level=None)\n"
        "db.executescript('PRAGMA cache_size=1; CREATE TABLE t (a); BEGIN;')\n"
        "db.executemany('INSERT INTO t VALUES (?)', [('x' * 500,)] * 3_000)\n"
        "os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", killed], check=False, timeout=60)
    fault = await must_fail(JournalUnavailable, path, read_only=True)
    assert "a change to it was cut short" in str(fault)
    assert path.with_name("j.db-journal").exists()


async def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """It is not damaged, so it is not even set aside."""
    path = tmp_path / "other.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(JournalUnavailable, match="another program"):
        await SqliteJournal(path, on_corrupt="set_aside").open()
    db = sqlite3.connect(path)
    assert db.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]
    db.close()


async def test_a_newer_layout_is_refused_with_a_clear_text(tmp_path: Path) -> None:
    """Nobody guesses what a later version meant."""
    path = tmp_path / "j.db"
    await filled(path, [was_set("/a", 1)])
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 999")
    db.close()
    for read_only in (False, True):
        error = await must_fail(JournalTooNew, path, read_only=read_only)
        assert "layout 999" in str(error)


async def test_a_database_that_another_program_writes_is_locked(tmp_path: Path) -> None:
    """Someone in a transaction of their own; the batch is refused, and comes through later."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        await journal.append(was_set("/a", 1))
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalLocked):
            await journal.append(was_set("/a", 2))
        db.execute("ROLLBACK")
        db.close()
        assert await journal.append(was_set("/a", 2)) == 2


async def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    """Also to whoever was waiting."""
    journal = await SqliteJournal(tmp_path / "j.db").open()
    await journal.close()
    await journal.close()
    with pytest.raises(JournalClosed):
        await journal.append(was_set("/a", 1))
    with pytest.raises(JournalClosed):
        await journal.open()


async def test_a_batch_that_fails_midway_leaves_no_trace(tmp_path: Path) -> None:
    """No entry, no address, no author, no clock step, no number."""
    path = tmp_path / "j.db"

    def failing() -> object:
        yield was_set("/new/address", 1, START_US + 10_000_000)
        yield was_set("/new/address", 1, START_US)._replace(author="new")
        raise RuntimeError("decoding failed")

    async with SqliteJournal(path) as journal:
        await journal.append(was_set("/a", 1, START_US))
        with pytest.raises(RuntimeError, match="decoding failed"):
            await journal.append(failing())  # type: ignore[arg-type]
        kept = [was_set("/b", 2, START_US + 1), was_set("/new/address", 3, START_US + 2)]
        assert await journal.append(kept) == 3
        assert [entry.address for entry in await journal.query()] == ["/a", "/b", "/new/address"]
        assert (await journal.query("/**", START_US + 2))[0].seq == 3
        assert (await journal.verify()).problems == []
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM author").fetchone() == (1,)
    assert db.execute("SELECT count(*) FROM clock_step").fetchone() == (1,)
    db.close()


@pytest.mark.parametrize("seed", range(40))
async def test_a_flipped_bit_is_found_and_never_served(seed: int, tmp_path: Path) -> None:
    """Wherever it is: what is read is what was written, or an error says what is not."""
    path, chance = tmp_path / "j.db", Random(seed)
    told = [was_set(f"/a/{n % 7}", n if n % 3 else f"text {n}", START_US + n, n // 7 + 1) for n in range(300)]
    async with SqliteJournal(path) as journal:
        await journal.append(told)
        await journal.snapshot_by_fold()
    content = bytearray(path.read_bytes())
    for _ in range(3):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    found = await read_all(path, read_only=chance.random() < 0.5)
    assert isinstance(found, JournalError) or found == (told, facts(folded(told)))


async def read_all(path: Path, *, read_only: bool) -> object:
    """Every entry and the state, or the error."""
    try:
        async with SqliteJournal(path, read_only=read_only) as journal:
            entries = [entry._replace(seq=0) for entry in await journal.query()]
            return entries, facts(await journal.state())
    except JournalError as error:
        return error


async def test_the_first_bad_entry_is_named(tmp_path: Path) -> None:
    """By whoever reads it, and by verification."""
    path = tmp_path / "j.db"
    await filled(path, [was_set(f"/a/{n % 7}", n) for n in range(100)])
    db = sqlite3.connect(path)
    db.execute("UPDATE entry SET value = value + 1 WHERE seq IN (40, 70)")
    db.execute("UPDATE entry SET address_id = 2 WHERE seq = 50")
    db.commit()
    db.close()
    async with SqliteJournal(path, read_only=True) as journal:
        with pytest.raises(JournalCorrupt) as caught:
            await journal.query()
        assert caught.value.first_bad_seq == 40
        assert len(await journal.query(limit=39)) == 39
        report = await journal.verify()
    assert report.first_bad_seq == 40
    assert [problem.split()[1] for problem in report.problems] == ["40", "50", "70"]


async def test_verification_finds_what_no_checksum_covers(tmp_path: Path) -> None:
    """A gap in the numbers, a reading aid that lies, a snapshot that is not the fold."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        await journal.append([was_set(f"/a/{n % 7}", [n]) for n in range(100)])
        await journal.snapshot([], 50)
        assert (await journal.verify()).problems == [
            "the snapshot at entry 50 is not what the entries amount to"
        ]
    db = sqlite3.connect(path)
    db.execute("UPDATE entry SET value = '[0]' WHERE seq = 9")
    db.execute("DELETE FROM entry WHERE seq = 20")
    db.commit()
    db.close()
    async with SqliteJournal(path, read_only=True) as journal:
        report = await journal.verify()
        with pytest.raises(JournalCorrupt, match="entry 20 is missing"):
            await journal.query()
    assert report.first_bad_seq == 9
    assert report.problems[:2] == ["entry 9 shows another value than it has", "entries 20 to 20 are missing"]
    assert report.entries == 99
