"""One writer, any number of readers, whichever process they are in."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import JournalClosed, JournalLocked, JournalUnavailable
from clasp_journal.sqlite import SqliteJournal, writer
from clasp_journal.sqlite.meta import Meta
from clasp_journal.sqlite.transactions import writing
from tests.journal.sqlite.making import filled, was_set

WRITER = """
import asyncio, sys
from clasp_journal.entry import JournalEntry
from clasp_journal.sqlite import SqliteJournal

async def main():
    journal = await SqliteJournal(sys.argv[1], url="ws://127.0.0.1:1").open()
    print("open", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        first, count = map(int, line.split())
        entries = (JournalEntry.from_set(f"/a/{n % 5}", n, timestamp=n) for n in range(first, first + count))
        print(await journal.append(entries), flush=True)
    await journal.close()

asyncio.run(main())
"""


class Other:
    """A writer in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def heard(self) -> str:
        """The next line that it says."""
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()

    def ask(self, first: int, count: int) -> None:
        """Have it append."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{first} {count}\n".encode())


@asynccontextmanager
async def another_writer(path: Path) -> AsyncIterator[Other]:
    """Start one, and end it."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), stdin=pipe, stdout=pipe
    )
    other = Other(process)
    try:
        assert await other.heard() == "open"
        yield other
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    """By process and URL; readers are welcome."""
    path = tmp_path / "j.db"
    async with another_writer(path) as other:
        with pytest.raises(JournalLocked) as caught:
            await SqliteJournal(path).open()
        assert f"process {other.process.pid}, ws://127.0.0.1:1" in str(caught.value)
        async with SqliteJournal(path, read_only=True) as reader:
            assert await reader.is_empty()


async def test_a_writer_can_wait_for_the_one_before(tmp_path: Path) -> None:
    """As a restarting router does; a killed holder holds nothing."""
    path = tmp_path / "j.db"
    async with another_writer(path) as other:
        waiting = asyncio.ensure_future(SqliteJournal(path, lock_wait_s=20).open())
        other.ask(1, 10)
        assert await other.heard() == "10"
        assert not waiting.done()
        other.process.kill()
        journal = await waiting
        assert await journal.latest_seq() == 10
        await journal.close()


async def test_giving_up_waiting_leaves_the_lock_free(tmp_path: Path) -> None:
    """A cancelled opening holds nothing."""
    path = tmp_path / "j.db"
    first = await SqliteJournal(path).open()
    waiting = asyncio.ensure_future(SqliteJournal(path, lock_wait_s=20).open())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await first.close()
    async with SqliteJournal(path, lock_wait_s=5) as journal:
        assert await journal.is_empty()


async def test_a_reader_follows_what_another_process_appends(tmp_path: Path) -> None:
    """History, then live entries, without gap or duplicate."""
    path = tmp_path / "j.db"
    async with another_writer(path) as other:
        other.ask(1, 100)
        assert await other.heard() == "100"
        async with SqliteJournal(path, read_only=True) as reader:
            told: list[JournalEntry] = []
            asked = 100
            async for entry in reader.tail(since=40):
                told.append(entry)
                if entry.seq == asked:
                    if asked == 400:
                        break
                    other.ask(asked + 1, 100)
                    asked += 100
            assert [entry.seq for entry in told] == list(range(41, 401))
            assert [entry.value for entry in told] == list(range(41, 401))


async def test_a_reader_writes_nothing(tmp_path: Path) -> None:
    """Whatever would change the journal is refused."""
    path = tmp_path / "j.db"
    await filled(path, [was_set("/a", 1)])
    async with SqliteJournal(path, read_only=True) as reader:
        for attempt in (
            reader.append(was_set("/a", 2)),
            reader.snapshot([]),
            reader.compact(1),
            reader.snapshot_by_fold(),
        ):
            with pytest.raises(JournalUnavailable, match="read only"):
                await attempt


async def test_readers_do_not_keep_the_log_from_being_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a reader between two pages all the time, the write-ahead log stays bounded."""
    monkeypatch.setattr(writer, "WAL_SIZE_MAX_BYTES", 1 << 20)
    monkeypatch.setattr(writer, "WAL_RETRY_S", 0.0)
    path = tmp_path / "j.db"
    sizes = []
    async with SqliteJournal(path) as journal, SqliteJournal(path, read_only=True) as reader:
        await journal.append(was_set("/a", 0))
        pages = reader.query().pages(1)
        for turn in range(30):
            await journal.append([was_set(f"/a/{n % 50}", n) for n in range(5_000)])
            sizes.append((tmp_path / "j.db-wal").stat().st_size)
            if turn == 3:
                pages = reader.query().pages(1)
            await anext(pages, None)
        await pages.aclose()
    assert max(sizes) < 4 << 20


async def test_waiting_ends_when_the_journal_is_closed(tmp_path: Path) -> None:
    """Nobody waits for ever."""
    journal = await SqliteJournal(tmp_path / "j.db").open()
    waiting = asyncio.ensure_future(journal.wait_beyond(0))
    await asyncio.sleep(0)
    await journal.close()
    with pytest.raises(JournalClosed):
        await waiting


async def test_a_cancelled_append_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """Whoever waits may leave; the transaction is finished all the same, and others are told."""
    async with SqliteJournal(tmp_path / "j.db") as journal:
        waiting = asyncio.ensure_future(journal.wait_beyond(0))
        await asyncio.sleep(0)
        appending = asyncio.ensure_future(journal.append([was_set("/a", n) for n in range(5_000)]))
        await asyncio.sleep(0)
        appending.cancel()
        assert await waiting == 5_000
        assert await journal.append(was_set("/b", 1)) == 5_001
        assert await journal.len() == 5_001
        with pytest.raises(asyncio.CancelledError):
            await appending


def rewrite_meta(path: Path, **facts: object) -> None:
    """Leave the file as a writer that ended otherwise would have left it."""
    db = sqlite3.connect(path, isolation_level=None)
    db.text_factory = bytes
    meta = Meta.read(db)
    with writing(db):
        meta._replace(**facts).write(db)  # type: ignore[arg-type]
    db.close()


async def epoch_of(path: Path) -> str:
    """The epoch that a new writer announces."""
    async with SqliteJournal(path) as journal:
        return journal.epoch


async def test_the_epoch_outlives_a_killed_writer(tmp_path: Path) -> None:
    """Its committed entries are still there."""
    path = tmp_path / "j.db"
    async with another_writer(path) as other, SqliteJournal(path, read_only=True) as reader:
        before = reader.epoch
        other.process.kill()
        await other.process.wait()
    assert await epoch_of(path) == before


async def test_the_epoch_changes_when_the_machine_stopped_under_the_writer(tmp_path: Path) -> None:
    """And only then: not if it had been closed, and not again at the next opening."""
    path = tmp_path / "j.db"
    before = await epoch_of(path)
    rewrite_meta(path, boot_id="another run of the machine")
    assert await epoch_of(path) == before
    rewrite_meta(path, boot_id="another run of the machine", clean=0)
    after = await epoch_of(path)
    assert after != before
    assert await epoch_of(path) == after
