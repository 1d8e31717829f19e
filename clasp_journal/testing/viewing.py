"""Views: told in pieces or at once, over whatever became of the log."""

from __future__ import annotations

from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.journal import Journal
from clasp_journal.restore import fold
from clasp_journal.testing.samples import (
    START_US,
    Make,
    has_expired,
    must_raise,
    stored,
    was_published,
    was_set,
)
from clasp_journal.views import SHIPPED, Addresses, Authors, Kinds, Params, Row, TableView, catch_up, replay

_MINUTE_US = 60_000_000


class _Told:
    """A view that is nothing but `reset` and `apply`."""

    def __init__(self) -> None:
        self.seqs: list[int] = []

    def reset(self) -> None:
        self.seqs.clear()

    def apply(self, entry: JournalEntry) -> None:
        self.seqs.append(entry.seq)


def _a_past(count: int) -> list[JournalEntry]:
    """Some of everything, by several authors, over some minutes."""
    past = []
    for n in range(count):
        at, author = n * _MINUTE_US // 7, f"author-{n % 3}"
        if n % 11 == 10:
            past.append(has_expired(f"/p/{n % 5}", n, at))
        elif n % 4 == 3:
            signal = SignalType(n % len(SignalType))
            entry = was_published(f"/s/{n % 3}", n / 3, at, signal_type=signal)
            past.append(entry._replace(author=author, name="desk"))
        elif n % 13 == 12:
            past.append(JournalEntry(START_US + at, author, "", EntryKind.MARK))
        else:
            past.append(was_set(f"/p/{n % 5}", n * 0.1, at, author=author))
    return past


def _rows(view: TableView) -> list[list[Row]]:
    return [table.rows() for table in view.tables]


async def check_a_view_is_told_every_entry_once(make: Make) -> None:
    """In order; after a number, or on top of what it knows, if that is asked for."""
    async with await make() as journal:
        view = _Told()
        assert await replay(journal, view) == 0, "there is nothing to tell"
        await journal.append(_a_past(1_200))
        assert await replay(journal, view) == 1_200
        assert view.seqs == list(range(1, 1_201)), "all entries, in order"
        assert await replay(journal, view, since=1_190) == 1_200
        assert view.seqs == list(range(1_191, 1_201)), "the entries after a number"
        await journal.append(_a_past(5))
        assert await replay(journal, view, since=1_200, reset=False) == 1_205
        assert view.seqs == list(range(1_191, 1_206)), "it goes on"


async def check_catching_up_in_pieces_is_one_replay(make: Make) -> None:
    """Every shipped view has the same rows, however often it was brought up to date."""
    async with await make() as journal:
        pieces = {name: view() for name, view in SHIPPED.items()}
        for count in (1, 30, 2, 0, 67):
            await journal.append(_a_past(count))
            for view in pieces.values():
                assert await catch_up(journal, view) == await journal.latest_seq()
        for name, view in pieces.items():
            whole = SHIPPED[name]()
            await replay(journal, whole)
            assert _rows(view) == _rows(whole), f"{name} is not what a replay gives"
            assert view.reached == whole.reached, f"{name} does not know where it is"


async def check_the_params_are_the_fold(make: Make) -> None:
    """From the beginning, from a snapshot, and where there was one on the way."""
    async with await make() as journal:
        kept = await stored(journal, _a_past(40))
        view = Params()
        for upto in (40, 60, 80):
            kept += await stored(journal, _a_past(upto - len(kept)))
            state = await journal.state()
            await journal.snapshot(state.params(), revision_floor=state.revision_floor)
            kept += await stored(journal, _a_past(3))
            await catch_up(journal, view)
            anew = Params()
            await replay(journal, anew)
            for one in (view, anew):
                _must_be_the_params(one, kept)


async def check_entries_of_unknown_kinds_are_counted(make: Make) -> None:
    """And change nothing else."""
    async with await make() as journal:
        kept = await stored(journal, _a_past(20))
        strange = JournalEntry(START_US, "author-1", "/p/1", 0x7B, encoded=b"\x00")  # type: ignore[arg-type]
        await journal.append([strange, strange])
        views = {name: view() for name, view in SHIPPED.items()}
        for view in views.values():
            assert await replay(journal, view) == 22
        counted = {row.key[0]: row.cells[:2] for row in _rows(views["kinds"])[0]}
        assert counted[0x7B] == (None, 2), "a kind without a name counts"
        _must_be_the_params(views["params"], kept)
        known = Authors()
        for entry in kept:
            known.apply(entry)
        assert _rows(known) == _rows(views["authors"]), "an unknown kind is no message"


async def check_views_of_what_compaction_left(make: Make) -> None:
    """Who has seen what went, keeps it; who has not, begins anew with what is there; params lose nothing."""
    async with await make() as journal:
        kept = await stored(journal, _a_past(60))
        early, params = Addresses(), Params()
        for view in (early, params):
            await catch_up(journal, view)
        await journal.compact(61)
        kept += await stored(journal, _a_past(20))
        for view in (early, params):
            await catch_up(journal, view)
        assert early.reached is not None
        assert early.reached.from_seq == 1, "nothing was missed"
        assert sum(int(row.cells[0] or 0) for row in _rows(early)[0]) == _messages(kept)
        await stored(journal, more := _a_past(30))
        await journal.compact(95)
        await catch_up(journal, early)
        await catch_up(journal, params)
        assert early.reached.from_seq == 95, "it says from where on it counts"
        _must_be_the_params(params, [*kept, *more])
        await must_raise(HistoryIncomplete, replay(journal, Kinds(), since=70), "a replay from what is gone")
        await must_raise(
            HistoryIncomplete, replay(journal, early, 70, reset=False), "going on behind what is gone"
        )


async def check_another_epoch_is_told_anew(make: Make) -> None:
    """What was seen in another life of the journal does not count."""
    async with await make() as journal:
        await journal.append(_a_past(30))
        view = Kinds()
        await catch_up(journal, view)
        await journal.compact(11, force=True)
        await catch_up(journal, view)
        assert view.reached == (journal.epoch, 11, 30)
        assert sum(int(row.cells[1] or 0) for row in _rows(view)[0]) == 20


async def check_who_was_forgotten_is_in_no_view(make: Make) -> None:
    """Views that had counted it begin anew; the params stay as they were."""
    async with await make() as journal:
        kept = await stored(journal, _a_past(60))
        views = {name: view() for name, view in SHIPPED.items()}
        for view in views.values():
            await catch_up(journal, view)
        assert await journal.forget("author-1")
        more = await stored(journal, _a_past(7)[:1])
        for name, view in views.items():
            await catch_up(journal, view)
            anew = SHIPPED[name]()
            await replay(journal, anew)
            assert _rows(view) == _rows(anew), f"{name} is not what a replay gives"
        assert {row.key for row in _rows(views["authors"])[0]} == {("author-0",), ("author-2",)}
        _must_be_the_params(views["params"], kept + more)
        await must_raise(HistoryIncomplete, replay(journal, Params(), since=20), "params that were forgotten")


def _messages(entries: list[JournalEntry]) -> int:
    return sum(entry.kind in (EntryKind.SET, EntryKind.PUBLISH) for entry in entries)


def _must_be_the_params(view: TableView, entries: list[JournalEntry]) -> None:
    live = fold(None, entries).live
    shown = {
        row.key[0]: (row.cells[0], row.cells[1], row.cells[3], row.cells[4], row.cells[2])
        for row in _rows(view)[0]
    }
    assert shown == {address: tuple(param[1:]) for address, param in live.items()}, "these are not the params"


async def check_a_view_follows_a_journal_of_its_own(make: Make) -> None:
    """What it knows of one journal is nothing in another."""
    async with await make() as one, await make() as other:
        await one.append(_a_past(10))
        await other.append(_a_past(20))
        view = Kinds()
        await _counts(one, view, 10)
        await _counts(other, view, 20)


async def _counts(journal: Journal, view: Kinds, count: int) -> None:
    await catch_up(journal, view)
    assert sum(int(row.cells[1] or 0) for row in _rows(view)[0]) == count
