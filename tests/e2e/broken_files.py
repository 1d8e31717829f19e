"""A collection of files that stand where a journal should be, and are none, or no whole one.

Law: each is made from the same two good journals by one deed, and from its own name alone: a file that once
was trouble is the same file in every run.
"""

import asyncio
import gzip
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from clasp_journal.sqlite import SqliteJournal
from clasp_journal.testing.samples import was_published, was_set
from tests.e2e.router_process import JOURNAL_FILE

ENTRIES = 3_000
PAGE_BYTES = 4_096
WAL = f"{JOURNAL_FILE}-wal"

Deed = Callable[[Path, random.Random], None]
"""Something done to a folder with a journal in it."""


async def make_good(folder: Path) -> None:
    """A journal with snapshots, closed in order; and, in `killed`, one that was not, its log beside it."""
    killed = folder / "killed"
    killed.mkdir(parents=True)
    async with SqliteJournal(str(folder / JOURNAL_FILE)) as journal:
        for first in range(0, ENTRIES, 500):
            await journal.append(
                [
                    was_set(f"/lights/{n % 50}/level", n / 8, n)
                    if n % 3
                    else was_published("/cue", f"go {n}", n)
                    for n in range(first, first + 500)
                ],
                synced=True,
            )
            await journal.snapshot((await journal.state()).params())
        for name in (JOURNAL_FILE, WAL):
            await asyncio.to_thread(shutil.copy, folder / name, killed)


def copy_good(good: Path, to: Path, *, killed: bool) -> None:
    """Begin with a good journal."""
    for path in (good / "killed" if killed else good).iterdir():
        if path.is_file() and path.name.startswith(JOURNAL_FILE):
            shutil.copy(path, to)


def replaced(content: bytes) -> Deed:
    """Something else stands in its place."""
    return lambda folder, rng: _be(folder, content)


def cut(share: float, name: str = JOURNAL_FILE) -> Deed:
    """Only the first part of it was copied."""

    def deed(folder: Path, _: random.Random) -> None:
        path = folder / name
        os.truncate(path, int(path.stat().st_size * share))

    return deed


def zeroed(begin: int, end: int, name: str = JOURNAL_FILE) -> Deed:
    """A part of it reads as zeros."""

    def deed(folder: Path, _: random.Random) -> None:
        _overwrite(folder / name, begin, bytes(end - begin))

    return deed


def lost_page(folder: Path, rng: random.Random) -> None:
    """A page somewhere in it reads as zeros."""
    path = folder / JOURNAL_FILE
    page = rng.randrange(1, path.stat().st_size // PAGE_BYTES)
    _overwrite(path, page * PAGE_BYTES, bytes(PAGE_BYTES))


def flipped(name: str = JOURNAL_FILE, *, bits: int = 8) -> Deed:
    """Some bits of it are not what they were."""

    def deed(folder: Path, rng: random.Random) -> None:
        path = folder / name
        content = bytearray(path.read_bytes())
        for _ in range(bits):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)

    return deed


def noise(name: str) -> Deed:
    """A part of it is noise."""

    def deed(folder: Path, rng: random.Random) -> None:
        path = folder / name
        size = path.stat().st_size if path.exists() else PAGE_BYTES
        path.write_bytes(rng.randbytes(size))

    return deed


def sql(*statements: str) -> Deed:
    """Somebody has worked on it with a tool for databases."""

    def deed(folder: Path, _: random.Random) -> None:
        database = sqlite3.connect(folder / JOURNAL_FILE)
        for statement in statements:
            database.execute(statement).fetchall()
        database.commit()
        database.close()

    return deed


def other_database(folder: Path, _: random.Random) -> None:
    """It is the database of another program."""
    (folder / JOURNAL_FILE).unlink()
    sql("CREATE TABLE songs (title TEXT)", "INSERT INTO songs VALUES ('only copy')")(folder, _)


def packed(folder: Path, _: random.Random) -> None:
    """Somebody has compressed it."""
    _be(folder, gzip.compress((folder / JOURNAL_FILE).read_bytes(), mtime=0))


def a_folder(name: str) -> Deed:
    """A folder has its name."""

    def deed(folder: Path, _: random.Random) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()
        (folder / name / "kept").write_text("something")

    return deed


def a_pipe(folder: Path, _: random.Random) -> None:
    """A named pipe has its name: whoever opens it waits for ever."""
    (folder / JOURNAL_FILE).unlink()
    os.mkfifo(folder / JOURNAL_FILE)


def dangling(folder: Path, _: random.Random) -> None:
    """It is a link to a place that is not there."""
    (folder / JOURNAL_FILE).unlink()
    (folder / JOURNAL_FILE).symlink_to(folder / "gone" / "show.db")


def only_its_log(folder: Path, _: random.Random) -> None:
    """The database was removed, its log was not."""
    (folder / JOURNAL_FILE).unlink()


def log_of_another(folder: Path, _: random.Random) -> None:
    """Beside it lies the log of another database."""
    other = folder / "other.db"
    database = sqlite3.connect(other)
    database.execute("PRAGMA journal_mode=WAL").fetchall()
    database.execute("CREATE TABLE songs (title TEXT)")
    database.commit()
    shutil.copy(f"{other}-wal", folder / WAL)
    database.close()
    other.unlink()


def _be(folder: Path, content: bytes) -> None:
    (folder / JOURNAL_FILE).write_bytes(content)


def _overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


TABLES = ("entry", "address", "author", "meta", "snapshot", "snapshot_param", "clock_step")

AFTER_CLOSING: dict[str, Deed] = {
    "empty": replaced(b""),
    "one byte": replaced(b"S"),
    "text": replaced(b"this is somebody's only copy of something\n" * 999),
    "the first bytes of a database": replaced(b"SQLite format 3\0"),
    "zeros": replaced(bytes(64 * PAGE_BYTES)),
    "compressed": packed,
    "no magic": zeroed(0, 16),
    "no header": zeroed(0, 512),
    "no first page": zeroed(0, PAGE_BYTES),
    "no second page": zeroed(PAGE_BYTES, 2 * PAGE_BYTES),
    **{f"cut at {tenth} tenths": cut(tenth / 10) for tenth in range(1, 10)},
    "cut by a byte": cut(0.999_999),
    **{f"lost page {n}": lost_page for n in range(10)},
    **{f"flipped bits {n}": flipped() for n in range(10)},
    "many flipped bits": flipped(bits=5_000),
    "noise": noise(JOURNAL_FILE),
    "a folder": a_folder(JOURNAL_FILE),
    "a pipe": a_pipe,
    "a dangling link": dangling,
    "another program's": other_database,
    "another program's mark": sql("PRAGMA application_id = 7"),
    "a newer layout": sql("PRAGMA user_version = 9999"),
    "a negative layout": sql("PRAGMA user_version = -1"),
    "no layout": sql("PRAGMA user_version = 0"),
    **{f"without {table}": sql(f"DROP TABLE {table}") for table in TABLES},
    "without an index": sql("DROP INDEX entry_by_address"),
    "without an epoch": sql("DELETE FROM meta WHERE key = 'epoch'"),
    "with wrong facts": sql("UPDATE meta SET value = 'x', crc = 0"),
    "with a hole": sql("DELETE FROM entry WHERE seq BETWEEN 2990 AND 2995"),
    "with more than was given": sql("UPDATE entry SET seq = 99999 WHERE seq = 3000"),
    "without some addresses": sql("DELETE FROM address WHERE id % 7 = 0"),
    "with changed entries": sql("UPDATE entry SET value = 0 WHERE seq % 10 = 0"),
    "with changed snapshots": sql("UPDATE snapshot_param SET value = 0"),
    "with an old kind of log": sql("PRAGMA journal_mode=DELETE"),
    "with a hot journal of noise": noise(f"{JOURNAL_FILE}-journal"),
    "with a folder for a lock": a_folder(f"{JOURNAL_FILE}.lock"),
    "with a lock of noise": noise(f"{JOURNAL_FILE}.lock"),
}
AFTER_A_KILL: dict[str, Deed] = {
    "log of noise": noise(WAL),
    "half a log": cut(0.5, WAL),
    "log without a header": zeroed(0, 32, WAL),
    "log with flipped bits": flipped(WAL),
    "log of another": log_of_another,
    "only its log": only_its_log,
    "a folder for a log": a_folder(WAL),
    "half a database and its log": cut(0.5),
}


def make_broken(good: Path, folder: Path, name: str) -> None:
    """One of the collection, by its name."""
    copy_good(good, folder, killed=name in AFTER_A_KILL)
    (AFTER_A_KILL | AFTER_CLOSING)[name](folder, random.Random(name))
