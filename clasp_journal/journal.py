"""The journal: what every backend promises, and what follows from those promises alone.

Laws: numbers (`seq`) start at 1, have no gaps and are never reused, not after compaction, a restart or a
failed append; entries are in the order of their numbers; what is read has been committed; results
are read in pages, so that neither side ever holds more than a page of them.

Time: entries keep the wall time given to them, in microseconds. Where it goes back in a journal, searching
by time stays exact all the same. `from_` and `to` are inclusive.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Generator, Iterable
from types import TracebackType
from typing import NamedTuple, Self, TypedDict, Unpack

from clasp_journal.address import Pattern
from clasp_journal.entry import JournalEntry, ParamSnapshot, SignalType
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.restore import KeptSnapshot, Snapshot, State
from clasp_journal.selection import Selection

PAGE_ENTRIES = 1_000
"""Entries read at once."""


class Narrower(TypedDict, total=False):
    """The rarer ways to narrow a query."""

    author: str | None
    kinds: Collection[int] | None
    newest: bool
    """Take the newest `limit` entries, still oldest first."""
    after_seq: int
    """Only entries with a higher number."""


class Span(NamedTuple):
    """Numbers above `after_seq`, up to and with `upto_seq` (None: the latest when reading begins)."""

    after_seq: int = 0
    upto_seq: int | None = None


ALL = Span()


class Cursor(NamedTuple):
    """How far a reader has come: up to and with an entry, in one life of a journal."""

    epoch: str
    seq: int = 0


class Fetched(NamedTuple):
    """What a reader gets at once, and from where it goes on."""

    entries: list[JournalEntry]
    cursor: Cursor
    is_incomplete: bool
    """Entries behind the cursor that was given are gone, or it belongs to another life of the journal."""
    is_caught_up: bool
    """Whether there was nothing more."""


class Journal(ABC):
    """An append-only log of entries with snapshots of the state they amount to.

    Every method may raise `JournalUnavailable` when the medium fails and `JournalClosed` after `close`.
    One writer at a time; any number of concurrent readers, in this task or others.
    """

    @property
    @abstractmethod
    def epoch(self) -> str:
        """The name of this life of the journal. It changes when entries that somebody may have read can be
        missing, so that (epoch, seq) never means two things."""

    @abstractmethod
    async def append(self, entries: JournalEntry | Iterable[JournalEntry], *, synced: bool = False) -> int:
        """Number these entries in this order, keep all of them or none, and return the last number.

        On return they are committed: they survive the death of this process. With `synced` they
        survive the loss of power too. Whatever `seq` they carry is ignored. No entries: the latest number.
        After a failure nothing of this call is there, and no number is used up.
        """

    @abstractmethod
    async def latest_seq(self) -> int:
        """The highest number ever given out; 0 if none. It never goes back."""

    @abstractmethod
    async def oldest_seq(self) -> int:
        """The first number that is still there, or the next one to be given if none is."""

    @abstractmethod
    async def len(self) -> int:
        """How many entries are there."""

    @abstractmethod
    async def snapshot(
        self,
        params: Iterable[ParamSnapshot],
        at_seq: int | None = None,
        *,
        revision_floor: int = 0,
        lasting: bool = False,
    ) -> int:
        """Keep this state as the one right after entry `at_seq` (None: the latest), and return that number.

        A number beyond the latest is refused with `ValueError`. A snapshot that a crash cuts short is
        never loaded. Older snapshots are thinned out: the newest 4 stay, then one per 200,000 entries or
        10 minutes, whichever is later, back to the base. One that is `lasting` stays as long as the
        entries behind it: where entries before it cannot tell the state any more.
        """

    @abstractmethod
    async def load_snapshot(self, at_seq: int | None = None) -> Snapshot | None:
        """The newest intact snapshot at or before `at_seq` (None: of all); a damaged one is skipped and
        reported in the log. None if there is none."""

    @abstractmethod
    async def snapshots(self) -> list[KeptSnapshot]:
        """The snapshots that are there, oldest first."""

    @abstractmethod
    async def compact(self, before_seq: int, *, force: bool = False) -> int:
        """Remove the entries numbered below `before_seq`; return how many.

        First a snapshot at exactly `before_seq - 1` is written and kept as the base, so that every
        state from there on can still be told (where that one was forgotten, those that can be told now).
        `force` skips that, marks the base as lost and starts a new epoch. It works in short slices and may be
        interrupted anywhere without harm.
        """

    @abstractmethod
    async def forget(self, author: str, *, by: str = "") -> int:
        """Remove what one author wrote up to now; return how many entries that were.

        The author is named by a session id, the subject of a token, or the name that a client gave itself.
        Where an entry was a blank stands, which keeps its number and its time (see `forgetting`): no
        number changes, the entries of others stay as they are, and the epoch goes on. The act is an entry
        itself, written first, with `by` as its author; an interruption behind it is made up for when the
        journal is opened again. Nothing found: nothing is written, and 0 returned. `BadInput` if no author
        is named.

        The state stays true: what the author SET last stays, as it was written, until somebody changes it,
        carried by a lasting snapshot right before the act. Instants between the author's first change and
        that snapshot can no longer be told: asking for them is `HistoryIncomplete`, and snapshots of them
        are removed. Instants before and after can. If the author never changed the state, all can.
        """

    @abstractmethod
    async def close(self) -> None:
        """Release everything. Calling it again does nothing."""

    # What a backend implements for reading. Callers use `query`, `since` and `tail`.

    @abstractmethod
    async def page(
        self, selection: Selection, after_seq: int, upto_seq: int, limit: int
    ) -> list[JournalEntry]:
        """Up to `limit` matching entries with `after_seq < seq <= upto_seq`, oldest first; fewer than
        `limit` only when there are no more."""

    @abstractmethod
    async def nth_newest(self, selection: Selection, n: int, *, after_seq: int, upto_seq: int) -> int:
        """The number of the n-th newest (1 is the newest) matching entry with `after_seq < seq <= upto_seq`;
        `after_seq + 1` if there are fewer."""

    @abstractmethod
    async def wait_beyond(self, seq: int) -> int:
        """Return the latest number as soon as it is higher than `seq`, whichever process appends."""

    # What follows from that.

    async def gone_upto_us(self) -> int | None:
        """A time that no entry removed from the beginning is beyond; None if that is not known.

        A backend that does not note it guesses: all that is gone is older than the first that is there.
        """
        oldest = await self.oldest_seq()
        first = await self.page(Selection(), oldest - 1, oldest, 1)
        return first[0].timestamp - 1 if first else None

    async def newest(
        self, selection: Selection, limit: int, *, after_seq: int, upto_seq: int
    ) -> list[JournalEntry]:
        """The newest `limit` matching entries with `after_seq < seq <= upto_seq`, oldest first."""
        first = await self.nth_newest(selection, limit, after_seq=after_seq, upto_seq=upto_seq)
        return await self.page(selection, first - 1, upto_seq, limit)

    def query(
        self,
        pattern: str | Pattern = "/**",
        from_: int | None = None,
        to: int | None = None,
        limit: int | None = None,
        types: Collection[SignalType] | None = None,
        **narrower: Unpack[Narrower],
    ) -> Results:
        """The matching entries, oldest first: the oldest `limit`, or with `newest` the newest ones.

        `await` it for a list, `async for` it to stream. A text that is no pattern raises
        `PatternError` at once. Entries appended after the first page was read are not part of it.
        """
        kinds = narrower.get("kinds")
        selection = Selection(
            pattern if isinstance(pattern, Pattern) else Pattern.parse(pattern),
            from_,
            to,
            None if types is None else frozenset(types),
            narrower.get("author"),
            None if kinds is None else frozenset(kinds),
        )
        span = Span(narrower.get("after_seq", 0))
        return Results(self, selection, limit, span, newest=narrower.get("newest", False))

    def since(self, seq: int, limit: int | None = None, *, author: str | None = None) -> Results:
        """All entries with a number above `seq`, oldest first."""
        return self.query(limit=limit, after_seq=seq, author=author)

    async def fetch_since(
        self, cursor: Cursor | None, limit: int = PAGE_ENTRIES, *, author: str | None = None
    ) -> Fetched:
        """The next entries behind a cursor (None: from the first on), for a follower who asks repeatedly.

        One whose cursor is of another epoch, or of a number that was never given, goes on behind the same
        number or the latest, and is told that entries may be missing; so is one whose next entry was
        compacted. What was forgotten comes as a blank.
        """
        oldest, latest, epoch = await self.oldest_seq(), await self.latest_seq(), self.epoch
        # A number that this life has not given yet is of another one, too, whatever its name.
        is_other_life = cursor is not None and (cursor.epoch != epoch or cursor.seq > latest)
        after = min(cursor.seq, latest) if cursor is not None else oldest - 1
        entries = await self.page(Selection(author=author), after, latest, limit)
        is_cut = after + 1 < await self.oldest_seq()
        is_caught_up = len(entries) < limit
        reached = latest if is_caught_up else entries[-1].seq if entries else after
        return Fetched(entries, Cursor(epoch, reached), is_other_life or is_cut, is_caught_up)

    async def count(self, selection: Selection, *, after_seq: int, upto_seq: int) -> int:
        """How many matching entries there are with `after_seq < seq <= upto_seq`."""
        pages = Results(self, selection, span=Span(after_seq, upto_seq)).pages()
        return sum([len(page) async for page in pages])

    async def tail(
        self, since: int = 0, pattern: str | Pattern = "/**", *, author: str | None = None
    ) -> AsyncIterator[JournalEntry]:
        """History after `since`, then live entries, without gap or duplicate, as long as it is iterated."""
        selection = self.query(pattern, author=author).selection
        seen = since
        while True:
            head = await self.latest_seq()
            if head <= seen:
                head = await self.wait_beyond(seen)
            async for entry in Results(self, selection, span=Span(seen, head)):
                yield entry
            seen = head

    async def state(self, at_seq: int | None = None) -> State:
        """Every param as it was right after entry `at_seq` (None: the latest).

        Costs what was appended since the newest snapshot before it. `HistoryIncomplete` when entries
        between that snapshot and `at_seq` are gone or forgotten.
        """
        latest = await self.latest_seq()
        at = latest if at_seq is None else min(at_seq, latest)
        base = await self.load_snapshot(at)
        base_seq = base.at_seq if base else 0
        oldest = await self.oldest_seq()
        if base_seq < at and base_seq + 1 < oldest:
            raise HistoryIncomplete(f"entries {base_seq + 1} to {oldest - 1} are gone", operation="state")
        state = State(base.params, base.revision_floor) if base else State()
        await self.advance(state, base_seq, at)
        if state.forgotten_seq:
            raise HistoryIncomplete(f"entry {state.forgotten_seq} was forgotten", operation="state")
        return state

    async def advance(self, state: State, after_seq: int, upto_seq: int) -> None:
        """Bring a state that is true right after one entry to right after a later one.

        Where a change was forgotten, the state says so (`State.forgotten_seq`).
        """
        async for entry in Results(self, Selection(), span=Span(after_seq, upto_seq)):
            state.apply(entry)

    async def addresses(self) -> list[str]:
        """What to offer somebody who types an address: those that have a param, and others that are known."""
        return sorted((await self.state()).live)

    async def is_empty(self) -> bool:
        """Whether no entry is there."""
        return await self.len() == 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Results:
    """The answer to a query: `await` it for all entries in a list, `async for` it to stream them."""

    def __init__(
        self,
        journal: Journal,
        selection: Selection,
        limit: int | None = None,
        span: Span = ALL,
        *,
        newest: bool = False,
    ) -> None:
        self.selection = selection
        self._journal = journal
        self._limit = limit
        self._span = span
        self._newest = newest

    async def pages(self, page_entries: int = PAGE_ENTRIES) -> AsyncIterator[list[JournalEntry]]:
        """The entries in lists of up to `page_entries`; between two of them nothing is held open."""
        after, upto = self._span
        if upto is None:
            upto = await self._journal.latest_seq()
        left = self._limit
        if self._newest and left is not None and 0 < left <= page_entries:
            if page := await self._journal.newest(self.selection, left, after_seq=after, upto_seq=upto):
                yield page
            return
        if self._newest and left is not None and left > 0:
            after = await self._journal.nth_newest(self.selection, left, after_seq=after, upto_seq=upto) - 1
        while after < upto and (left is None or left > 0):
            wanted = page_entries if left is None else min(left, page_entries)
            page = await self._journal.page(self.selection, after, upto, wanted)
            if page:
                yield page
            if len(page) < wanted:
                return
            after = page[-1].seq
            left = None if left is None else left - len(page)

    async def __aiter__(self) -> AsyncIterator[JournalEntry]:
        async for page in self.pages():
            for entry in page:
                yield entry

    def __await__(self) -> Generator[object, None, list[JournalEntry]]:
        return self._collect().__await__()

    async def _collect(self) -> list[JournalEntry]:
        return [entry async for page in self.pages() for entry in page]
