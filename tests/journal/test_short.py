"""What is told in short is kept like what is told at length."""

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.entry import JournalEntry, SignalType
from clasp_journal.memory import MemoryJournal
from clasp_journal.mirror import MirrorOptions
from clasp_journal.short import Plain, ShortEntries, in_short
from clasp_journal.sqlite import SqliteJournal
from tests.journal.sqlite.making import START_US, entries, was_sent, was_set


class Told(ShortEntries):
    """Entries from a list."""

    def __init__(self, told: list[JournalEntry | Plain]) -> None:
        self._told = told

    def short(self) -> Iterator[JournalEntry | Plain]:
        """The list, as it is."""
        return iter(self._told)


def a_mixture(count: int) -> list[JournalEntry | Plain]:
    """Short and whole ones, of two authors, on a few addresses; one steps back in time."""
    told: list[JournalEntry | Plain] = []
    for n in range(count):
        who, at_us = ("s1", "desk") if n % 5 else ("s2", None), START_US + n * 7_000_000
        if n % 7 == 3:
            told.append(JournalEntry.from_set(f"/{n % 3}", [n], author="s1", timestamp=at_us, revision=n))
        elif n % 4 == 0:
            told.append(Plain(at_us, *who, f"/{n % 3}", SignalType.STREAM, -0.0, None))
        else:
            number = math.inf if n == 5 else n / 3
            told.append(Plain(at_us - (n == 9) * 60_000_000, *who, f"/{n % 3}", 0, number, n))
    return told


def at_length(told: list[JournalEntry | Plain]) -> list[JournalEntry]:
    """The same entries, numbered."""
    whole = (entry.whole() if isinstance(entry, Plain) else entry for entry in told)
    return [entry._replace(seq=seq) for seq, entry in enumerate(whole, 1)]


def test_the_whole_of_a_short_entry_is_what_one_would_have_written() -> None:
    """A SET with its revision, a PUBLISH with its signal; the client's name is there."""
    assert Plain(1, "s1", None, "/a", 0, 0.5, 7).whole() == JournalEntry.from_set(
        "/a", 0.5, author="s1", timestamp=1, revision=7
    )
    event = Plain(1, "s1", "desk", "/a", SignalType.EVENT, 0.5, None).whole()
    assert event == JournalEntry.from_publish("/a", 0.5, author="s1", timestamp=1)._replace(name="desk")
    assert isinstance(event.signal_type, SignalType)


@pytest.mark.property
@given(entries)
def test_what_can_be_told_in_short_is_the_same_at_length(entry: JournalEntry) -> None:
    """But for its number, which is the journal's to give."""
    short = in_short(entry)
    assert short is None or short.whole() == entry._replace(seq=0)


@pytest.mark.property
@given(st.floats())
def test_a_float_that_is_a_number_can_be_told_in_short(number: float) -> None:
    """Set or sent; other values, a lifetime, or a SET without a revision cannot."""
    plain = was_set("/a", number), was_sent("/a", number)
    assert [in_short(entry) is None for entry in plain] == [math.isnan(number)] * 2
    others = was_set("/a", 1), plain[0]._replace(ttl=60), was_set("/a", number, revision=None)
    assert [in_short(entry) for entry in others] == [None] * 3


async def test_a_journal_in_memory_takes_them_as_entries() -> None:
    """It need not know that there is a short way."""
    told = a_mixture(20)
    async with MemoryJournal() as journal:
        await journal.append(Told(told))
        assert await journal.query() == at_length(told)


@pytest.mark.parametrize("mirrored", [False, True])
async def test_a_file_holds_the_same_rows_whichever_way_they_were_told(
    tmp_path: Path, mirrored: bool
) -> None:
    """To the byte, checksums and steps of the clock included; with a mirror as well as without."""
    told = a_mixture(150)
    short, long = tmp_path / "short.db", tmp_path / "long.db"
    mirror = MirrorOptions(tmp_path / "short.jsonl") if mirrored else None
    async with SqliteJournal(short, mirror=mirror) as journal:
        await journal.append(Told(told))
        assert await journal.query() == at_length(told)
        assert (await journal.verify(full=True)).first_bad_seq is None
        state = await journal.state()
    async with SqliteJournal(long) as journal:
        await journal.append(at_length(told))
        assert (await journal.state()).live == state.live
    assert rows(short) == rows(long)


async def test_a_short_number_that_fits_nowhere_is_refused_and_uses_no_number_up(tmp_path: Path) -> None:
    """Nothing of the batch is there."""
    async with SqliteJournal(tmp_path / "j.db") as journal:
        with pytest.raises(ValueError, match="does not fit"):
            await journal.append(Told([*a_mixture(70), Plain(START_US, "s1", None, "/a", 0, 1.0, 1 << 70)]))
        assert await journal.append(Told([Plain(START_US, "s1", None, "/a", 0, 1.0, 1)])) == 1


def rows(path: Path) -> list[tuple[object, ...]]:
    """What SQL sees."""
    with sqlite3.connect(path) as db:
        found = db.execute("SELECT * FROM entry ORDER BY seq").fetchall()
        found += db.execute("SELECT * FROM clock_step").fetchall()
    db.close()
    return found
