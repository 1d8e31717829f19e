"""A journal with a mirror keeps every promise of a journal, and its mirror keeps up with it."""

from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest

from clasp_journal.journal import Journal
from clasp_journal.mirror import parity, verify_chain
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing import CHECKS, PERSISTENCE_CHECKS, Check, PersistenceCheck


class Mirrored:
    """Gives journals with mirrors, and compares all of them at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        self._made: set[str] = set()

    async def make(self) -> Journal:
        """A fresh one."""
        return await self._open(str(self._folder / f"journal-{next(self._numbers)}.db"))

    async def reopen(self, journal: Journal) -> Journal:
        """The same one again."""
        assert isinstance(journal, SqliteJournal)
        return await self._open(journal.path)

    async def _open(self, path: str) -> Journal:
        self._made.add(path)
        return await SqliteJournal(path, mirror=path + "l").open()

    async def compare(self) -> None:
        """Every mirror is intact and has what its journal has."""
        for path in self._made:
            assert verify_chain(path + "l").is_intact
            async with SqliteJournal(path, read_only=True) as journal:
                assert (await parity(journal, path + "l")).is_consistent


def promise(check: Check | PersistenceCheck) -> str:
    """The name of a check, as what is promised."""
    return check.__name__.removeprefix("check_")


async def keep(check: Callable[[Mirrored], Awaitable[None]], folder: Path) -> None:
    """One promise, and then the mirrors."""
    mirrored = Mirrored(folder)
    await check(mirrored)
    await mirrored.compare()


@pytest.mark.parametrize("check", CHECKS, ids=promise)
async def test_a_mirrored_journal_keeps(check: Check, tmp_path: Path) -> None:
    """One promise."""
    await keep(lambda mirrored: check(mirrored.make), tmp_path)


@pytest.mark.parametrize("check", PERSISTENCE_CHECKS, ids=promise)
async def test_a_mirrored_journal_that_is_opened_again_keeps(check: PersistenceCheck, tmp_path: Path) -> None:
    """One promise about closing and opening again."""
    await keep(lambda mirrored: check(mirrored.make, mirrored.reopen), tmp_path)
