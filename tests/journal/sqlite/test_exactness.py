"""What is appended comes back to the bit, and SQL shows what it can show."""

import math
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.entry import EntryKind, JournalEntry, ParamSnapshot, SignalType
from clasp_journal.sqlite import SqliteJournal, schema
from clasp_journal.sqlite.forms import Cell, encoded_of, form_of
from clasp_journal.value import encode
from tests.journal.sqlite.making import START_US, Growing, encoded_values, entries, filled, was_sent, was_set


def through_sqlite(
    value_type: int | None, value: Cell, raw: bytes | None
) -> tuple[int | None, Cell, bytes | None]:
    """The cells after a stay in a table."""
    with sqlite3.connect(":memory:") as db:
        db.text_factory = bytes
        db.execute("CREATE TABLE kept (value_type INTEGER, value, raw BLOB)")
        db.execute("INSERT INTO kept VALUES (?, ?, ?)", (value_type, value, raw))
        row: tuple[int | None, Cell, bytes | None] = db.execute("SELECT * FROM kept").fetchone()
    db.close()
    return row


@pytest.mark.property
@given(encoded_values | st.none())
def test_a_value_survives_its_stay_in_a_table(encoded: bytes | None) -> None:
    """Every type, every bit: signalling NaNs, narrow numbers, odd booleans, and bytes that are no value."""
    assert encoded_of(*through_sqlite(*form_of(encoded))) == encoded


@pytest.mark.property
@given(batch=st.lists(entries, max_size=8))
def test_an_entry_comes_back_as_it_was(batch: list[JournalEntry], growing: Growing) -> None:
    """All its fields, whatever they hold, in one batch with any others; only the number is the journal's."""

    async def story(journal: SqliteJournal, base: int) -> None:
        await journal.append(iter(batch))
        numbered = [entry._replace(seq=seq) for seq, entry in enumerate(batch, base + 1)]
        assert await journal.since(base) == numbered

    growing.tell(story)


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_a_long_batch_comes_back_in_its_order(tmp_path: Path, more: int) -> None:
    """Where statements of many rows end changes nothing, and a cell without content is NULL."""
    sorts = (
        was_set("/a", 0.5),
        was_set("/a", math.nan),
        was_set("/a", [1, "two"])._replace(ttl=60),
        was_sent("/b", -0.0),
        was_sent("/b", 0.5)._replace(name="desk"),
        JournalEntry(START_US, "s1", "/c", EntryKind.PUBLISH, SignalType.STREAM, samples=bytes(8)),
        JournalEntry(START_US, "", "/a", EntryKind.EXPIRE, revision=1),
    )
    count = 2 * schema.ROWS_AT_ONCE + more
    batch = [sorts[n % len(sorts)]._replace(timestamp=START_US + n) for n in range(count)]
    path = tmp_path / "j.db"
    assert await filled(path, batch) == [entry._replace(seq=seq) for seq, entry in enumerate(batch, 1)]
    nulls = "value_type IS NULL, value IS NULL, raw IS NULL, revision IS NULL, ttl IS NULL, extra IS NULL"
    assert ask(path, f"SELECT {nulls} FROM entry WHERE seq IN (1, 2, 4, 6)") == [
        (1, 0, 1, 0, 1, 1),
        (0, 1, 0, 0, 1, 1),
        (1, 0, 1, 1, 1, 1),
        (1, 1, 1, 1, 1, 1),
    ]


async def test_a_snapshot_param_comes_back_as_it_was(tmp_path: Path) -> None:
    """Also NaN, a tombstone, and an address that no entry has."""
    told = [
        ParamSnapshot("/nan", encode(math.nan), 3, "s1", START_US, 60),
        ParamSnapshot("/gone", None, 9, "s2", START_US),
        ParamSnapshot("/null", encode(None), 1, "", START_US, 0),
        ParamSnapshot("/list", encode([1, 2.0, {"a": b"x"}]), 1, "ä", START_US),
    ]
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append(was_set("/a", 1))
        await journal.snapshot(told, revision_floor=7)
        kept = await journal.load_snapshot()
    assert kept is not None
    assert (kept.params, kept.at_seq, kept.revision_floor) == (told, 1, 7)


async def test_a_number_that_fits_nowhere_is_refused_and_uses_no_number_up(tmp_path: Path) -> None:
    """Nothing of the batch is there."""
    async with SqliteJournal(tmp_path / "j.db") as journal:
        with pytest.raises(ValueError, match="does not fit"):
            await journal.append([was_set("/a", 1), was_set("/b", 2, revision=1 << 70)])
        assert await journal.append(was_set("/c", 3)) == 1
        assert [entry.address for entry in await journal.query()] == ["/c"]


def ask(path: Path, statement: str) -> list[tuple[object, ...]]:
    """What any SQLite tool would show."""
    db = sqlite3.connect(path)
    try:
        return db.execute(statement).fetchall()
    finally:
        db.close()


async def test_any_tool_can_compare_values(tmp_path: Path) -> None:
    """Numbers are numbers, texts are texts."""
    path = tmp_path / "j.db"
    await filled(
        path, [was_set("/dim", 0.5), was_set("/full", 0.95), was_set("/one", 1), was_set("/text", "on")]
    )
    assert ask(path, "SELECT address FROM entries WHERE value > 0.9 AND type != 'string'") == [
        ("/full",),
        ("/one",),
    ]
    assert ask(path, "SELECT typeof(value) FROM entry") == [("real",), ("real",), ("integer",), ("text",)]


async def test_the_view_of_entries_speaks_to_people(tmp_path: Path) -> None:
    """Names instead of numbers, a readable time, containers as JSON."""
    path = tmp_path / "j.db"
    stamped = was_set("/a", [1, 2.5, {"k": b"\x01"}], START_US + 42)._replace(name="desk")
    mark = JournalEntry(START_US, "", "", EntryKind.MARK, details=encode({"name": "act 2"}))
    gesture = JournalEntry(START_US, "s1", "/pad", EntryKind.PUBLISH, SignalType.GESTURE, gesture_id=7)
    await filled(path, [stamped, mark, gesture])
    assert ask(
        path, "SELECT time, kind, signal, address, author, client, value, type FROM entries LIMIT 1"
    ) == [
        (
            "2023-11-14T22:13:20.000042Z",
            "set",
            "param",
            "/a",
            "s1",
            "desk",
            '[1, 2.5, {"k": "0x01"}]',
            "array",
        )
    ]
    assert ask(path, "SELECT kind, details ->> 'name' FROM entries WHERE seq = 2") == [("mark", "act 2")]
    assert ask(path, "SELECT kind, signal, gesture_id FROM entries WHERE seq = 3") == [
        ("publish", "gesture", 7)
    ]


async def test_the_view_of_params_shows_the_present_state(tmp_path: Path) -> None:
    """From the newest snapshot and what came after it."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        await journal.append(
            [was_set("/kept", 1), was_set("/changed", 1), was_set("/gone", 1), was_sent("/event", 1)]
        )
        await journal.snapshot_by_fold()
        await journal.append(
            [was_set("/changed", 2), JournalEntry(START_US, "", "/gone", EntryKind.EXPIRE, revision=1)]
        )
        await journal.compact(4)
    assert ask(path, "SELECT address, value FROM params ORDER BY address") == [("/changed", 2), ("/kept", 1)]
    assert ask(path, "SELECT at_seq, params, complete FROM snapshots WHERE at_seq = 3") == [(3, 3, 1)]


async def test_a_typical_entry_takes_little_room(tmp_path: Path) -> None:
    """Sixty bytes, with its share of the index and its checksum."""
    path = tmp_path / "j.db"
    count = 40_000
    batch = (
        was_set(f"/light/{n * 7919 % 1000}", n / 3, START_US + 37 * n, n // 1000 + 1) for n in range(count)
    )
    await filled(path, batch)
    assert path.stat().st_size / count <= 60
