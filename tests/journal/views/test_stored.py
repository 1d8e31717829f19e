"""A view in the file of its journal: when it is written, when it is built anew, and who may read it."""

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing

import pytest

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.views import SHIPPED, Addresses, Authors, Kinds, Params, catch_up, current, replay
from tests.journal.sqlite.making import START_US
from tests.journal.views.making import Last, dump, levels

PATIENCE_S = 60


@pytest.fixture
async def journal(tmp_path):
    """Thirty entries, in a file."""
    async with SqliteJournal(tmp_path / "show.db") as opened:
        await opened.append(levels(range(30)))
        yield opened


async def test_a_view_goes_on_where_it_was(journal):
    """It is told only what it has not seen, and remembers that with its rows."""
    seen = []

    class Watched(Kinds):
        def apply(self, entry):
            seen.append(entry.seq)
            super().apply(entry)

    for upto in (30, 35, 35):
        assert await catch_up(journal, journal.stored(Watched())) == upto
        if upto == 30:
            await journal.append(levels(range(5)))
    assert seen == list(range(1, 36))
    assert await journal.stored(Watched()).reached() == (journal.epoch, 1, 35)


@pytest.mark.parametrize("is_stored", [True, False])
async def test_going_on_can_be_asked_for(journal, is_stored):
    """Behind the entry where it is; anywhere else it would miss entries, or count some twice."""
    kinds, params = Kinds(), Params()
    told = [journal.stored(kinds), journal.stored(params)] if is_stored else [kinds, params]
    for each in told:
        assert await replay(journal, each, since=10) == 30
    await journal.append(levels(range(5)))
    for each in told:
        assert await replay(journal, each, since=30, reset=False) == 35
        with pytest.raises(ValueError, match="up to 35"):
            await replay(journal, each, since=33, reset=False)
    counted, shown = (
        [await each.rows() for each in told] if is_stored else [kinds.table.rows(), params.table.rows()]
    )
    assert [row.cells[1] for row in counted] == [25]
    live = (await journal.state()).live
    assert {row.key[0]: row.cells[0] for row in shown} == {
        address: one.encoded for address, one in live.items()
    }


async def test_params_are_not_told_across_what_was_forgotten(journal):
    """Without the change that a blank hides they would be others."""
    await journal.forget("desk")
    with pytest.raises(HistoryIncomplete):
        await replay(journal, Params(), since=0, reset=False)


async def test_any_tool_can_read_the_rows(journal):
    """As tables with columns; a value is what it is in SQL."""
    for view in (Params(), Last()):
        await catch_up(journal, journal.stored(view))
    with closing(sqlite3.connect(journal.path)) as db:
        found = db.execute("SELECT address, value, revision FROM view_params ORDER BY value").fetchall()
        assert found == [("/lights/0", 2.7, 28), ("/lights/1", 2.8, 29), ("/lights/2", 2.9, 30)]
        [(seq, level)] = db.execute("SELECT seq, level FROM view_last WHERE address = '/lights/2'")
        assert (seq, level) == (30, 2.9)
        assert db.execute("SELECT name, seq FROM view_reached").fetchall() == [("last", 30), ("params", 30)]


async def test_a_row_can_go(journal):
    """And stays away, however the view is told of it."""
    last = journal.stored(Last())
    await catch_up(journal, last)
    await journal.append(JournalEntry.from_set("/lights/1", None, timestamp=START_US))
    await catch_up(journal, last)
    written = dump(journal.path)
    assert [row.key for row in await last.rows()] == [("/lights/0",), ("/lights/2",)]
    await replay(journal, last)
    assert dump(journal.path) == written


async def test_who_only_reads_is_up_to_date(journal):
    """Beside the writer, without its lock; the rows are as far as somebody wrote them, the answer is not."""
    await catch_up(journal, journal.stored(Addresses()))
    await journal.append(levels(range(30, 40)))
    written = dump(journal.path)
    async with SqliteJournal(journal.path, read_only=True) as reader:
        for name, view in SHIPPED.items():
            whole = view()
            await replay(journal, whole)
            shown = await current(reader, view())
            assert [table.rows() for table in shown.tables] == [table.rows() for table in whole.tables], name
        assert list(await reader.kept_views()) == ["addresses"]
    assert dump(journal.path) == written


async def test_a_file_without_views_is_a_journal(journal):
    """To be read, and to be asked."""
    async with SqliteJournal(journal.path, read_only=True) as reader:
        assert await reader.kept_views() == {}
        assert await reader.stored(Kinds()).reached() is None
        assert await reader.stored(Kinds()).rows() == []
        assert (await current(reader, Kinds())).reached == (journal.epoch, 1, 30)
    assert dump(journal.path) == {}


async def test_another_version_of_a_view_is_built_anew(journal):
    """With the columns that it has now."""
    await catch_up(journal, journal.stored(Kinds()))

    class Newer(Last):
        name = "kinds"
        version = 2

        def __init__(self):
            super().__init__()
            self.table.name = "kinds"

    newer = journal.stored(Newer())
    assert await newer.rows() == []
    await catch_up(journal, newer)
    assert len(await newer.rows()) == 3


async def test_what_compaction_took_is_kept_by_who_has_seen_it(journal):
    """Who has not, begins with what is left and says so; the params lose nothing."""
    for view in (Kinds(), Params()):
        await catch_up(journal, journal.stored(view))
    await journal.compact(21)
    await journal.append(levels(range(30, 40)))
    seen, late, params = journal.stored(Kinds()), journal.stored(Authors()), journal.stored(Params())
    for view in (seen, late, params):
        await catch_up(journal, view)
    assert (await seen.rows())[0].cells[1] == 40
    assert (await seen.reached()).from_seq == 1
    assert (await late.rows())[0].cells[1] == 20
    assert (await late.reached()).from_seq == 21
    await journal.append(levels(range(40, 50)))
    await journal.compact(46)
    for view in (seen, params):
        await catch_up(journal, view)
    assert (await seen.rows())[0].cells[1] == 5
    assert (await seen.reached()).from_seq == 46
    live = (await journal.state()).live
    assert {row.key[0]: row.cells[0] for row in await params.rows()} == {
        address: param.encoded for address, param in live.items()
    }
    with pytest.raises(HistoryIncomplete):
        await replay(journal, seen, since=30)


async def test_another_epoch_begins_anew(journal):
    """What a view saw in the one before may not be true any more."""
    kinds = journal.stored(Kinds())
    await catch_up(journal, kinds)
    await journal.compact(11, force=True)
    assert (await current(journal, Kinds())).reached == (journal.epoch, 11, 30)
    await catch_up(journal, kinds)
    assert await kinds.reached() == (journal.epoch, 11, 30)
    assert (await kinds.rows())[0].cells[1] == 20


async def test_forgetting_reaches_the_tables(journal):
    """With the act the views are gone from the file; they are built anew from what is left."""
    await journal.append([each._replace(author="guest") for each in levels(range(5))])
    views = [journal.stored(view()) for view in SHIPPED.values()]
    for view in views:
        await catch_up(journal, view)
    assert "guest" in str(dump(journal.path))
    await journal.forget("guest")
    assert dump(journal.path) == {}
    for view in views:
        assert await catch_up(journal, view) == 36
    shown = dump(journal.path)
    assert "guest" not in str(shown["view_authors"])
    assert str(shown["view_params"]).count("guest") == 3, "the state stays as it was written"


async def test_a_view_that_fails_leaves_the_former_state(journal):
    """Whatever it raises; the journal and the view go on afterwards."""
    await catch_up(journal, journal.stored(Kinds()))
    written = dump(journal.path)

    class Failing(Kinds):
        is_tired = True

        def apply(self, entry):
            super().apply(entry)
            if Failing.is_tired and entry.seq % 7 == 0:
                raise LookupError(entry.seq)

    failing = journal.stored(Failing())
    await journal.append(levels(range(30, 40)))
    for attempt in (catch_up(journal, failing), replay(journal, failing)):
        with pytest.raises(LookupError):
            await attempt
        assert dump(journal.path) == written
    Failing.is_tired = False
    assert await catch_up(journal, failing) == 40
    assert (await failing.rows())[0].cells[1] == 40


async def test_who_does_not_wait_any_more_changes_nothing(journal):
    """A replay that is cancelled ends soon, and leaves the file as it was."""
    await catch_up(journal, journal.stored(Kinds()))
    await journal.append(levels(range(5_000)))
    written = dump(journal.path)
    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    class Slow(Kinds):
        def apply(self, entry):
            super().apply(entry)
            if entry.seq == 1:
                loop.call_soon_threadsafe(begun.set)
                asyncio.run_coroutine_threadsafe(cancelled.wait(), loop).result(PATIENCE_S)

    cancelled = asyncio.Event()
    replaying = asyncio.ensure_future(replay(journal, journal.stored(Slow())))
    await begun.wait()
    replaying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await replaying
    cancelled.set()
    assert await journal.append(levels(range(1))) == 5_031
    assert dump(journal.path) == written


KILLED = """
import asyncio, sys
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.views import Kinds, catch_up, replay
from tests.journal.views.making import levels

class Stuck(Kinds):
    def apply(self, entry):
        super().apply(entry)
        if entry.seq == 40:
            print("in the middle", flush=True)
            sys.stdin.read()

async def main(path, way):
    async with SqliteJournal(path) as journal:
        await journal.append(levels(range(30, 60)))
        await {"replay": replay, "catch_up": catch_up}[way](journal, journal.stored(Stuck()))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("way", ["replay", "catch_up"])
async def test_killed_in_the_middle_it_is_as_it_was(tmp_path, way):
    """By kill -9; the next one goes on from there."""
    path = tmp_path / "show.db"
    async with SqliteJournal(path) as journal:
        await journal.append(levels(range(30)))
        await catch_up(journal, journal.stored(Kinds()))
    written = dump(path)
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(path), way, stdin=pipe, stdout=pipe
    )
    async with asyncio.timeout(PATIENCE_S):
        assert await child.stdout.readline() == b"in the middle\n"
        child.kill()
        assert await child.wait() == -signal.SIGKILL
    assert dump(path) == written
    async with SqliteJournal(path) as journal:
        kinds = journal.stored(Kinds())
        assert await kinds.reached() == (journal.epoch, 1, 30)
        assert await catch_up(journal, kinds) == 60
        assert (await kinds.rows())[0].cells[1] == 60


@pytest.mark.usefixtures("small_steps")
async def test_appends_get_their_turn_while_a_view_catches_up(journal):
    """It is told a part of the log at a time."""
    loop, latest = asyncio.get_running_loop(), []

    class Long(Kinds):
        def apply(self, entry):
            super().apply(entry)
            if entry.seq == 40:
                asyncio.run_coroutine_threadsafe(journal.append(levels(range(1))), loop)
            if entry.seq == 60:
                with closing(sqlite3.connect(f"file:{journal.path}?mode=ro", uri=True)) as db:
                    latest.extend(db.execute("SELECT max(seq) FROM entry").fetchone())

    await catch_up(journal, journal.stored(Kinds()))
    await journal.append(levels(range(30)))
    assert await catch_up(journal, journal.stored(Long())) == 61
    assert latest == [61]
