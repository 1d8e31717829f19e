"""Written as the entries came, or replayed: the tables are the same, to the byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.memory import MemoryJournal
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.views import SHIPPED, catch_up, current, replay
from tests.journal.sqlite.making import Growing, histories
from tests.journal.views.making import Last, anything, dump, levels

VIEWS = {**SHIPPED, Last.name: Last}
pieces_of_anything = st.lists(st.lists(anything, max_size=7), max_size=4)


def rows_of(view):
    """All of them."""
    return [table.rows() for table in view.tables]


@pytest.mark.property
@pytest.mark.usefixtures("small_steps")
@given(pieces=pieces_of_anything, views=st.lists(st.sampled_from(list(VIEWS)), min_size=1, max_size=2))
def test_in_a_file_pieces_are_the_whole(pieces, views, growing: Growing):
    """Any entries, cut anywhere; in memory there are the same rows."""
    chosen = [VIEWS[name] for name in dict.fromkeys(views)]

    async def story(journal: SqliteJournal, base: int) -> None:
        direct = [journal.stored(view()) for view in chosen]
        for view in direct:
            await replay(journal, view, since=base)
        for piece in pieces:
            await journal.append(piece)
            for view in direct:
                await catch_up(journal, view)
        written = dump(journal.path)
        for view in chosen:
            await replay(journal, journal.stored(view()), since=base)
        assert dump(journal.path) == written
        for view, kept in zip(chosen, direct, strict=True):
            alone = view()
            await replay(journal, alone, since=base)
            assert rows_of(alone) == [await kept.rows(table.name) for table in alone.tables]
            assert repr(rows_of(await current(journal, view()))) == repr(rows_of(alone))

    growing.tell(story)


@pytest.mark.property
@given(pieces=pieces_of_anything)
async def test_in_memory_pieces_are_the_whole(pieces):
    """Any entries, cut anywhere."""
    async with MemoryJournal() as journal:
        direct = [view() for view in VIEWS.values()]
        for piece in [*pieces, []]:
            await journal.append(piece)
            for view in direct:
                await catch_up(journal, view)
        for view in direct:
            whole = type(view)()
            await catch_up(journal, whole)
            assert repr(rows_of(whole)) == repr(rows_of(view))
            assert whole.reached == view.reached


@pytest.mark.property
@pytest.mark.usefixtures("small_steps")
@given(pieces=st.lists(histories(), max_size=3))
def test_params_in_a_file_are_the_state(pieces, growing: Growing):
    """With params that go and come back, and snapshots on the way."""

    async def story(journal: SqliteJournal, _: int) -> None:
        params = journal.stored(SHIPPED["params"]())
        for piece in pieces:
            await journal.append(piece)
            await catch_up(journal, params)
            await journal.snapshot_by_fold()
        await catch_up(journal, params)
        live = (await journal.state()).live.values()
        assert [(*row.key, *row.cells) for row in await params.rows()] == sorted(
            (param.address, param.encoded, param.revision, param.ttl, param.writer, param.timestamp)
            for param in live
        )

    growing.tell(story)


async def test_over_restarts_pieces_are_the_whole(tmp_path):
    """Each piece in a process of its own, so to speak: opened, appended, caught up, closed."""
    path = tmp_path / "show.db"
    for piece in range(5):
        async with SqliteJournal(path) as journal:
            await journal.append(levels(range(piece * 100, piece * 100 + 100)))
            for view in VIEWS.values():
                assert await catch_up(journal, journal.stored(view())) == piece * 100 + 100
            if piece % 2:
                await journal.snapshot_by_fold()
    written = dump(path)
    async with SqliteJournal(path) as journal:
        for view in VIEWS.values():
            await replay(journal, journal.stored(view()))
    assert dump(path) == written
    assert len(written) == 8, "all tables are there"
