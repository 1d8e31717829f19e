"""Plain SETs are checked many at once, and what is wrong is found as if each were looked at."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import JournalCorrupt
from clasp_journal.restore import State
from clasp_journal.sqlite import SqliteJournal, plain_sets
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.plain_sets import PlainSets
from tests.journal.sqlite.making import START_US, entries, facts, filled, folded, was_set

COUNT = 6_000
COLUMNS = ("timestamp", "kind", "signal", "address_id", "author_id", "value", "revision", "crc")

HARMS = [
    *(f"UPDATE entry SET {column} = {column} + 1 WHERE seq = 4711" for column in COLUMNS),
    *(f"UPDATE entry SET {column} = NULL WHERE seq = 4711" for column in ("signal", "value", "revision")),
    *(f"UPDATE entry SET {column} = 1 << 40 WHERE seq = 4711" for column in ("kind", "signal", "author_id")),
    "UPDATE entry SET crc = 1 << 40 WHERE seq = 4711",
    "UPDATE entry SET ttl = 7 WHERE seq = 4711",
    # What would cancel out if the rows were only added up.
    "UPDATE entry SET revision = revision + iif(revision & 1, -1, 1) WHERE seq IN (4711, 4713)",
    "UPDATE entry SET value = (SELECT value FROM entry AS other WHERE other.seq = 9423 - entry.seq)"
    " WHERE seq IN (4711, 4712)",
    "UPDATE entry SET seq = CASE seq WHEN 4711 THEN -4712 ELSE -4711 END WHERE seq IN (4711, 4712);"
    "UPDATE entry SET seq = -seq WHERE seq < 0",
]


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a journal of plain SETs."""
    path = tmp_path_factory.mktemp("plain") / "j.db"
    asyncio.run(filled(path, [was_set(f"/p/{n % 7}", n / 7, START_US + n, n + 1) for n in range(COUNT)]))
    return path.read_bytes()


@pytest.mark.parametrize("harm", HARMS)
async def test_harm_to_a_row_is_found(harm: str, intact: bytes, tmp_path: Path) -> None:
    """In whichever cell, whether or not it is what a cell of that column can be."""
    path = tmp_path / "j.db"
    path.write_bytes(intact)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(harm)
    async with SqliteJournal(path) as journal:
        with pytest.raises(JournalCorrupt) as caught:
            await journal.advance(State(), 0, COUNT)
    assert caught.value.first_bad_seq == 4711


def test_plain_sets_are_taken_together(intact: bytes, tmp_path: Path) -> None:
    """All of them, with the numbers and the addresses that they have; harm to one lets none be believed."""
    path = tmp_path / "j.db"
    path.write_bytes(intact)
    with closing(sqlite3.connect(path)) as db:
        db.text_factory = bytes
        plain_sets.prepare(db)
        asked = "SELECT seq, address_id FROM entry WHERE seq > 1000 AND seq <= 5000"
        assert list(PlainSets(db, Span(1_000, 5_000))) == db.execute(asked).fetchall()
        db.executescript(HARMS[0])
        assert PlainSets(db, Span(1_000, 5_000)).count == 0
        assert PlainSets(db, Span(1_000, 4_710)).count == 3_710


@pytest.mark.property
@given(past=st.lists(entries, max_size=30))
def test_among_entries_of_every_sort_the_state_is_the_fold(
    past: list[JournalEntry], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whichever of them are plain."""

    async def story() -> None:
        state = State()
        async with SqliteJournal(tmp_path_factory.mktemp("sorts") / "j.db") as journal:
            await journal.append(past)
            await journal.advance(state, 0, len(past))
        assert facts(state) == facts(folded(past))

    asyncio.run(story())
