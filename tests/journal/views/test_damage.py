"""Rows of a view that are not what was written: found, and built anew, for they are only derived."""

import logging
import sqlite3
from contextlib import closing

import pytest

from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.views import Addresses, CellType, Column, Kinds, Table, catch_up, current
from tests.journal.views.making import Last, dump, levels


@pytest.fixture
async def path(tmp_path):
    """A journal with a view in it, and some entries behind that."""
    async with SqliteJournal(tmp_path / "show.db") as journal:
        await journal.append(levels(range(30)))
        await catch_up(journal, journal.stored(Addresses()))
        await journal.append(levels(range(30, 33)))
    return tmp_path / "show.db"


def change(path, statement):
    """Let somebody else write into the file."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement)


DAMAGE = {
    "a cell": "UPDATE view_addresses SET bytes = bytes + 1 WHERE address = '/lights/1'",
    "a key": "UPDATE view_addresses SET address = '/lights/9' WHERE address = '/lights/1'",
    "where it ends": "UPDATE view_reached SET seq = 20",
}


@pytest.mark.parametrize("what", DAMAGE)
async def test_damage_is_found_and_mended(path, what, caplog):
    """Verification names the table; who asks gets the truth; catching up builds it anew."""
    change(path, DAMAGE[what])
    async with SqliteJournal(path) as journal:
        truth = Addresses()
        await catch_up(journal, truth)
        found = await journal.verify()
        assert not found.is_intact
        assert all("view_" in problem for problem in found.problems)
        with caplog.at_level(logging.ERROR, "clasp_journal"):
            shown = await current(journal, Addresses())
            assert shown.table.rows() == truth.table.rows()
        assert "damaged" in caplog.text
        addresses = journal.stored(Addresses())
        await catch_up(journal, addresses)
        if what != "a key":
            assert await addresses.rows() == truth.table.rows()
            assert (await journal.verify()).is_intact


async def test_a_view_that_is_whole_is_verified_too(path):
    """Also one that this program has no class for."""
    async with SqliteJournal(path) as journal:
        await catch_up(journal, journal.stored(Last()))
        assert (await journal.verify()).is_intact
    change(path, "UPDATE view_last SET value = 7 WHERE address = '/lights/0'")
    async with SqliteJournal(path) as journal:
        assert (await journal.verify()).problems == [
            "a row of view_last is damaged; the view can be built anew"
        ]


async def test_a_copy_has_no_views(path, tmp_path):
    """They can be built there as well."""
    async with SqliteJournal(path) as journal:
        await journal.backup(str(tmp_path / "copy.db"))
        await journal.restore(str(tmp_path / "restored.db"), 20)
    for name in ("copy.db", "restored.db"):
        assert dump(tmp_path / name) == {}


async def test_a_view_is_told_of_its_own_journal(path, tmp_path):
    """Entries of another one are refused."""
    async with SqliteJournal(path) as journal, SqliteJournal(tmp_path / "other.db") as other:
        with pytest.raises(ValueError, match="that journal"):
            await catch_up(other, journal.stored(Kinds()))


@pytest.mark.parametrize("name", ["", "Über", "a b", 'x"', "1st", "x" * 99])
def test_names_are_plain(name):
    """For any tool that shows them."""
    column = Column("a", CellType.TEXT)
    with pytest.raises(ValueError, match="names no table"):
        Table(name, (column,), ())
    with pytest.raises(ValueError, match="names no table"):
        Table("a", (Column(name, CellType.TEXT),), ())


@pytest.mark.parametrize("name", ["reached", "addresses", "kind"])
async def test_tables_are_named_like_their_view(path, name):
    """So no view writes into those of another."""

    class Intruder(Kinds):
        def __init__(self):
            super().__init__()
            self.tables = (Table(name, (Column("a", CellType.TEXT),), ()),)

    async with SqliteJournal(path) as journal:
        with pytest.raises(ValueError, match="name"):
            journal.stored(Intruder())
