"""Whatever becomes of the log, a view that is up to date is what it is told from where it began."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.errors import HistoryIncomplete
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.views import SHIPPED, Params, catch_up
from tests.journal.backends import BACKENDS
from tests.journal.views.making import anything

views = st.lists(st.sampled_from(sorted(SHIPPED)), min_size=1, max_size=2, unique=True)
growth = st.lists(anything, min_size=2, max_size=6)
steps = st.one_of(
    st.tuples(st.just("append"), growth),
    st.tuples(st.just("append_and_catch_up"), growth),
    st.tuples(st.just("compact"), st.integers(1, 6)),
    st.tuples(st.just("force"), st.integers(1, 6)),
    st.tuples(st.just("forget"), st.sampled_from(("s1", "tom", "desk"))),
    st.tuples(st.just("snapshot"), st.none()),
    st.tuples(st.just("reopen"), st.none()),
)


class Fate:
    """A journal, its views, and every entry as it stands now or stood when it went."""

    def __init__(self, backend, names):
        self._backend = backend
        self._names = names
        self._views = {}
        self._entries = []

    async def run(self, first, told):
        """Begin with some entries, take the steps, and look at views that are up to date."""
        self.journal = await self._backend.make()
        self._begin()
        await self._append_and_catch_up(first)
        for step, wanted in told:
            await getattr(self, f"_{step}")(wanted)
        await self._catch_up()
        await self.journal.close()

    def _begin(self):
        views = {name: view() for name, view in SHIPPED.items() if name in self._names}
        is_file = isinstance(self.journal, SqliteJournal)
        self._views = {name: self.journal.stored(view) if is_file else view for name, view in views.items()}

    async def _append(self, entries):
        await self.journal.append(entries)
        await self._learn()

    async def _append_and_catch_up(self, entries):
        await self._append(entries)
        await self._catch_up()

    async def _learn(self):
        """Entries that are gone stay as they were."""
        oldest = await self.journal.oldest_seq()
        self._entries[oldest - 1 :] = await self.journal.since(oldest - 1)

    async def _compact(self, count, *, force=False):
        try:
            await self.journal.compact(await self.journal.oldest_seq() + count, force=force)
        except HistoryIncomplete:
            # The state before the cut was lost by force.
            assert not force

    async def _force(self, count):
        await self._compact(count, force=True)

    async def _forget(self, author):
        await self.journal.forget(author)
        await self._learn()

    async def _snapshot(self, _):
        try:
            state = await self.journal.state()
        except HistoryIncomplete:
            return
        await self.journal.snapshot(state.params(), revision_floor=state.revision_floor)

    async def _reopen(self, _):
        if self._backend.reopen:
            await self.journal.close()
            self.journal = await self._backend.reopen(self.journal)
            self._begin()

    async def _catch_up(self):
        for name, view in self._views.items():
            await (self._catch_up_params(view) if name == Params.name else self._catch_up_one(name, view))

    async def _catch_up_one(self, name, view):
        assert await catch_up(self.journal, view) == len(self._entries)
        reached = await view.reached() if callable(view.reached) else view.reached
        whole = SHIPPED[name]()
        for entry in self._entries[reached.from_seq - 1 : reached.seq]:
            whole.apply(entry)
        for table in whole.tables:
            assert repr(await self._rows(view, table.name)) == repr(table.rows())

    async def _catch_up_params(self, view):
        """The state, or it can be told as little as the state."""
        try:
            state = await self.journal.state()
        except HistoryIncomplete:
            with pytest.raises(HistoryIncomplete):
                await catch_up(self.journal, view)
            return
        await catch_up(self.journal, view)
        assert {row.key[0]: row.cells[:2] for row in await self._rows(view, "params")} == {
            param.address: (param.encoded, param.revision) for param in state.live.values()
        }

    async def _rows(self, view, name):
        if isinstance(self.journal, SqliteJournal):
            return await view.rows(name)
        [rows] = [table.rows() for table in view.tables if table.name == name]
        return rows


@pytest.mark.property
@pytest.mark.parametrize("backend_name", BACKENDS)
@given(names=views, first=growth, told=st.lists(steps, min_size=1, max_size=5))
async def test_a_view_survives_what_happens_to_the_log(backend_name, names, first, told):
    """Compacted, forgotten, cut by force, closed and opened again."""
    with tempfile.TemporaryDirectory() as folder:
        await Fate(BACKENDS[backend_name](Path(folder)), names).run(first, told)
