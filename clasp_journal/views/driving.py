"""Telling a view the log: all of it again, or what it has not seen.

Laws: a view that has been told a part of the log, in however many pieces, is as if it had been told it at
once; it is never told entries behind a hole that compaction made, but begins anew with what is there; where
one author's entries were forgotten, it begins anew as well, and so knows nothing of them any more.

A view that is kept somewhere (see `SqliteJournal.stored`) drives itself, under the same laws.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.journal import Journal
from clasp_journal.restore import State
from clasp_journal.views.tables import Key
from clasp_journal.views.view import Reached, TableView, View

OnProgress = Callable[[int], None]
"""Told how many more entries a view was told."""


def _unwatched(count: int) -> None:
    """Stands for a listener where nobody wants to be told about progress."""


@runtime_checkable
class KeptView(Protocol):
    """A view that outlives this process, in the journal whose entries it is told."""

    async def replay(self, journal: Journal, since: int, *, reset: bool, on_progress: OnProgress) -> int:
        """Do what `replay` promises; see the function."""

    async def catch_up(self, journal: Journal, *, on_progress: OnProgress) -> int:
        """Do what `catch_up` promises; see the function."""


@runtime_checkable
class KeepsViews(Protocol):
    """A journal that may have kept the rows of a view."""

    async def load_view(self, view: TableView, wants: Callable[[Key], bool]) -> None:
        """Fill a view with the rows that were kept and are wanted, if they are still true."""


class Start(NamedTuple):
    """Where a view begins: behind which entry, and with which params if it carries them."""

    after_seq: int
    from_seq: int
    state: State | None = None

    def set_up(self, view: View) -> None:
        """Reset a view, and let it begin here."""
        if isinstance(view, TableView) and self.state is not None:
            view.begin(self.state)
        else:
            view.reset()


class _Hole(Exception):
    """Entries went while the log was read."""


async def replay(
    journal: Journal,
    view: View | KeptView,
    since: int = 0,
    reset: bool = True,
    *,
    on_progress: OnProgress = _unwatched,
) -> int:
    """Tell a view every entry after `since`, and return the number of the last one.

    0 means all that is there; a view that carries params then begins with the newest snapshot. Without
    `reset` the view goes on from what it knows. `HistoryIncomplete` if entries right after `since` are gone.
    """
    if isinstance(view, KeptView):
        return await view.replay(journal, since, reset=reset, on_progress=on_progress)
    while True:
        start = await (start_of(journal, view, since) if reset else following(journal, view, since))
        if reset:
            start.set_up(view)
        try:
            return await _tell(journal, view, start, on_progress)
        except _Hole:
            if not reset:
                raise _gone(since, await journal.oldest_seq()) from None


async def catch_up(
    journal: Journal, view: TableView | KeptView, *, on_progress: OnProgress = _unwatched
) -> int:
    """Tell a view the entries that it has not seen, and return the number of the last one.

    All of them again if it has seen none, if it belongs to another epoch or version, if entries that it has
    not seen are gone, or if an author was forgotten; `view.reached.from_seq` says from where on.
    """
    if isinstance(view, KeptView):
        return await view.catch_up(journal, on_progress=on_progress)
    oldest, latest = await journal.oldest_seq(), await journal.latest_seq()
    reached = view.reached
    if reached is None or not reached.can_go_on(journal.epoch, oldest, latest):
        return await replay(journal, view, on_progress=on_progress)
    try:
        start = Start(reached.seq, reached.from_seq)
        return await _tell(journal, view, start, on_progress, begin_anew=True)
    except _Hole:
        since = anew_since(reached, await journal.oldest_seq())
        return await replay(journal, view, since, on_progress=on_progress)


async def current(
    journal: Journal,
    view: TableView,
    wants: Callable[[Key], bool] = lambda _: True,
    *,
    on_progress: OnProgress = _unwatched,
) -> TableView:
    """Bring a view in memory to the end of the log, by what the journal has kept of it and what came since.

    It writes nothing and needs no lock. Rows that are not wanted may be missing or wrong.
    """
    view.reset()
    if view.carries_params:
        latest = await journal.latest_seq()
        view.begin(await journal.state(latest))
        view.reached = Reached(journal.epoch, 1, latest)
        return view
    if isinstance(journal, KeepsViews):
        await journal.load_view(view, wants)
    await catch_up(journal, view, on_progress=on_progress)
    return view


async def start_of(journal: Journal, view: View, since: int) -> Start:
    """Where a view begins that knows nothing."""
    oldest = await journal.oldest_seq()
    if since and since + 1 < oldest:
        raise _gone(since, oldest)
    if not isinstance(view, TableView) or not view.carries_params:
        after_seq = max(since, oldest - 1)
        return Start(after_seq, after_seq + 1)
    if since:
        return Start(since, 1, await journal.state(since))
    base = await journal.load_snapshot()
    if base is None:
        if oldest > 1:
            raise _gone(0, oldest)
        return Start(0, 1, State())
    return Start(base.at_seq, 1, State(base.params, base.revision_floor))


async def following(journal: Journal, view: View, since: int) -> Start:
    """Where a view goes on that is not to begin anew."""
    oldest = await journal.oldest_seq()
    if since + 1 < oldest:
        raise _gone(since, oldest)
    known = view.reached if isinstance(view, TableView) else None
    if known is not None and known.seq != since:
        raise ValueError(f"a view that has seen the entries up to {known.seq} does not go on behind {since}")
    return Start(since, known.from_seq if known else since + 1)


def anew_since(reached: Reached, oldest_seq: int) -> int:
    """Behind which entry a view begins anew: where it began, if that is still there."""
    return reached.from_seq - 1 if reached.from_seq >= oldest_seq else 0


def is_forgetting(entry: JournalEntry) -> bool:
    """Whether an entry says that earlier ones are gone which views have seen."""
    return entry.kind == EntryKind.FORGET


async def _tell(
    journal: Journal, view: View, start: Start, on_progress: OnProgress, *, begin_anew: bool = False
) -> int:
    """Tell the entries behind a place; `_Hole` if some are gone or, with `begin_anew`, were forgotten."""
    seen, latest = start.after_seq, await journal.latest_seq()
    async for page in journal.query(after_seq=seen).pages():
        if page[-1].seq - seen != len(page) and await journal.oldest_seq() > seen + 1:
            raise _Hole
        if begin_anew and any(map(is_forgetting, page)):
            raise _Hole
        _apply(view, page)
        seen = page[-1].seq
        if isinstance(view, TableView):
            view.reached = Reached(journal.epoch, start.from_seq, seen)
        on_progress(len(page))
    last = max(seen, latest)
    if last > seen and await journal.oldest_seq() > seen + 1:
        raise _Hole
    if isinstance(view, TableView):
        view.reached = Reached(journal.epoch, start.from_seq, last)
    return last


def _apply(view: View, page: list[JournalEntry]) -> None:
    """Apply all entries of a page; raises if the view has to begin anew."""
    if isinstance(view, TableView):
        view.reached = None
    for entry in page:
        view.apply(entry)


def _gone(since: int, oldest: int) -> HistoryIncomplete:
    return HistoryIncomplete(f"entries {since + 1} to {oldest - 1} are gone", operation="replay")
