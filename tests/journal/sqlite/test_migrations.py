"""Files of every released layout can be opened, whatever the program writes today."""

import sqlite3
from pathlib import Path

import pytest

from clasp_journal.sqlite import SqliteJournal, schema
from clasp_journal.value import encode
from tests.journal.sqlite.making import was_set

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.sql"))


def built(fixture: Path, path: Path) -> Path:
    """The database that a text describes."""
    db = sqlite3.connect(path)
    db.executescript(fixture.read_text())
    db.close()
    return path


def test_there_is_a_fixture_of_every_layout() -> None:
    """Whoever adds a migration adds a file of the layout that it makes."""
    assert [fixture.stem for fixture in FIXTURES] == [f"layout_{n}" for n in range(1, schema.VERSION + 1)]
    assert len(schema.MIGRATIONS) == schema.VERSION


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.stem)
async def test_a_file_of_an_older_layout_is_understood(fixture: Path, tmp_path: Path) -> None:
    """Its entries, its snapshot, its epoch; and it can be written on."""
    path = built(fixture, tmp_path / "j.db")
    async with SqliteJournal(path) as journal:
        told = await journal.query()
        assert [(entry.seq, entry.address, entry.value) for entry in told] == [
            (3, "/light/2", True),
            (4, "/light/1", [1, 2.5, "x"]),
            (5, "/button", None),
        ]
        assert [entry.revision for entry in told] == [1, 2, None]
        assert told[2].details == encode({"why": "fixture"})
        base = await journal.load_snapshot()
        assert base is not None
        assert [(param.address, param.value, param.revision) for param in base.params] == [
            ("/light/1", 0.5, 1)
        ]
        assert journal.epoch == "0123456789abcdef"
        assert (await journal.verify()).problems == []
        assert await journal.append(was_set("/light/1", 1)) == 6
    async with SqliteJournal(path, read_only=True) as reader:
        assert await reader.latest_seq() == 6


async def test_a_fresh_file_has_the_layout_of_the_newest_fixture(tmp_path: Path) -> None:
    """Migrating and creating end at the same tables and views."""
    async with SqliteJournal(tmp_path / "fresh.db"):
        pass
    async with SqliteJournal(built(FIXTURES[-1], tmp_path / "old.db")):
        pass
    assert layout(tmp_path / "fresh.db") == layout(tmp_path / "old.db")


def layout(path: Path) -> dict[str, object]:
    """What the file consists of."""
    db = sqlite3.connect(path)
    named = dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall())
    named["user_version"] = db.execute("PRAGMA user_version").fetchone()
    db.close()
    return named
