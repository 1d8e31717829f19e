"""Every backend keeps every promise of the journal."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from clasp_journal.entry import JournalEntry
from clasp_journal.journal import Journal
from clasp_journal.memory import MemoryJournal
from clasp_journal.testing import CHECKS, PERSISTENCE_CHECKS, Check, PersistenceCheck, check_journal
from tests.journal.backends import BACKENDS

PERSISTENT = [name for name, backend_in in BACKENDS.items() if backend_in(Path()).reopen]


def promise(check: Check | PersistenceCheck) -> str:
    """The name of a check, as what is promised."""
    return check.__name__.removeprefix("check_")


@pytest.mark.parametrize("backend_name", BACKENDS)
@pytest.mark.parametrize("check", CHECKS, ids=promise)
async def test_every_backend_keeps(check: Check, backend_name: str, tmp_path: Path) -> None:
    """One promise, one backend."""
    await check(BACKENDS[backend_name](tmp_path).make)


@pytest.mark.parametrize("backend_name", PERSISTENT)
@pytest.mark.parametrize("check", PERSISTENCE_CHECKS, ids=promise)
async def test_a_backend_that_lasts_keeps(check: PersistenceCheck, backend_name: str, tmp_path: Path) -> None:
    """One promise about closing and opening again, one backend."""
    backend = BACKENDS[backend_name](tmp_path)
    assert backend.reopen is not None
    await check(backend.make, backend.reopen)


class _Forgetful(MemoryJournal):
    """A backend that turns the order of each batch around."""

    async def append(self, entries: JournalEntry | Iterable[JournalEntry], *, synced: bool = False) -> int:
        if isinstance(entries, JournalEntry):
            entries = [entries]
        return await super().append(reversed(list(entries)), synced=synced)


async def test_broken_promises_are_named_together() -> None:
    """The suite runs to its end and says which promises a backend breaks, and only those."""

    async def make() -> Journal:
        return _Forgetful()

    with pytest.raises(ExceptionGroup, match="broken promises") as raised:
        await check_journal(make)
    broken = [note for failure in raised.value.exceptions for note in failure.__notes__]
    assert "check_a_query_answers_oldest_first" in broken
    assert "check_closing_twice_does_nothing" not in broken
    assert "check_there_is_no_snapshot_at_first" not in broken


async def test_a_backend_that_keeps_everything_passes_in_one_call() -> None:
    """`check_journal` is quiet when there is nothing to say."""

    async def make() -> Journal:
        return MemoryJournal()

    await check_journal(make)
