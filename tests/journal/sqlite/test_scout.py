"""A second process reads the tail of the log; the state is the same, and so is what is said of damage."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from clasp_journal.entry import JournalEntry
from clasp_journal.sqlite import SqliteJournal
from clasp_journal.sqlite.tail import CHECKED_AT_ONCE
from tests.journal.sqlite.making import START_US, expired, folded, was_sent, was_set
from tests.journal.sqlite.scouted import told_of

TAIL = CHECKED_AT_ONCE + 1_000
"""Entries after the snapshot: more than are looked at in one go."""


def restored(*paths: Path, fate: str = "heard") -> list[str]:
    """What the program tells of journals."""
    command = [sys.executable, "-m", "tests.journal.sqlite.scouted", fate, *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def a_past() -> list[JournalEntry]:
    """Values of several types, streams and expiries, on addresses that are used again and again."""
    past = []
    for n in range(2_000 + TAIL):
        address, at_us = f"/p/{n * n % 97}", START_US + n
        if n % 10 == 7:
            past.append(expired(address, n, at_us))
        elif n % 10 == 8:
            past.append(was_sent(address, n / 7, at_us))
        else:
            past.append(was_set(address, [n / 7, n, "text", [n]][n % 4], at_us, n + 1))
    return past


async def made(path: Path, past: list[JournalEntry]) -> Path:
    """A journal whose only snapshot is at entry 2,000."""
    async with SqliteJournal(path) as journal:
        await journal.append(past[:2_000])
        await journal.snapshot_by_fold()
        await journal.append(past[2_000:])
    return path


def change(path: Path, statement: str) -> None:
    """Do something to the file behind the journal's back."""
    db = sqlite3.connect(path)
    db.execute(statement)
    db.commit()
    db.close()


@pytest.mark.parametrize("fate", ["heard", "dismissed"])
async def test_with_a_scout_the_state_is_the_fold(fate: str, tmp_path: Path) -> None:
    """Also where a change tells no revision, and where the scout has died before it answered."""
    regular = a_past()
    irregular = [*regular[:-5], was_set("/p/1", 1, START_US + len(regular), None), *regular[-5:]]
    pasts = [regular, irregular]
    paths = [await made(tmp_path / f"{n}.db", past) for n, past in enumerate(pasts)]
    told = await asyncio.to_thread(restored, *paths, fate=fate)
    assert told == [str((True, *told_of(folded(past)))) for past in pasts]


async def test_what_was_forgotten_is_told(tmp_path: Path) -> None:
    """A blank where a change was hides it from the scout, too."""
    past = a_past()
    past[3_000] = past[3_000]._replace(author="s2")
    path = await made(tmp_path / "j.db", past)
    async with SqliteJournal(path) as journal:
        await journal.forget("s2")
    change(path, "DELETE FROM snapshot")
    (told,) = await asyncio.to_thread(restored, path)
    assert told.startswith("(True, ")
    assert told.endswith(", 3001)")


async def test_damage_is_found_where_it_is(tmp_path: Path) -> None:
    """A changed cell and a missing row, as without a scout; a damaged snapshot only means a longer way."""
    past = a_past()
    paths = [await made(tmp_path / f"{n}.db", past) for n in range(3)]
    change(paths[0], "UPDATE entry SET timestamp = timestamp + 1 WHERE seq = 3005")
    change(paths[1], "DELETE FROM entry WHERE seq = 3003")
    change(paths[2], "UPDATE snapshot_param SET revision = revision + 1 WHERE position = 7")
    assert await asyncio.to_thread(restored, *paths) == [
        "(True, 'JournalCorrupt', 'entry 3005 is damaged')",
        "(True, 'JournalCorrupt', 'entry 3003 is missing')",
        str((True, *told_of(folded(past)))),
    ]


async def test_a_scout_of_a_file_that_was_set_aside_is_not_heard(tmp_path: Path) -> None:
    """It went ahead before the damage was seen; the new journal is empty."""
    path = await made(tmp_path / "j.db", a_past())
    change(path, "UPDATE address SET text = text || 'x' WHERE id = 7")
    assert await asyncio.to_thread(restored, path) == [str((False, *told_of(folded([]))))]
