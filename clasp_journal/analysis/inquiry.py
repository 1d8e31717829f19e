"""Which entries somebody wants to see, and the three ways to read them: forwards, the newest, backwards.

An inquiry says more than a `Selection`: several patterns, patterns to leave out, comparisons, only changes.
Laws: `Inquiry.wants` is the definition of all of that but `changed`; an entry comes once, in order of number;
forwards and backwards, the first page comes before the rest of the journal was looked at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from clasp_journal.address import Pattern
from clasp_journal.analysis.changes import Contents
from clasp_journal.entry import JournalEntry, SignalType
from clasp_journal.journal import ALL, PAGE_ENTRIES, Journal, Results, Span
from clasp_journal.selection import EVERYTHING, Selection

Test = Callable[[JournalEntry], bool]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What narrows the journal down. None, or nothing, narrows nothing; bounds are inclusive."""

    patterns: tuple[Pattern, ...] = ()
    excluded: tuple[Pattern, ...] = ()
    from_us: int | None = None
    to_us: int | None = None
    span: Span = ALL
    has_start: bool = False
    """Whether the range names its beginning, even where that is the first number of all."""
    types: frozenset[SignalType] | None = None
    kinds: frozenset[int] | None = None
    author: str | None = None
    tests: tuple[Test, ...] = ()
    changed: bool = False
    """Only entries whose content differs from the one before at their address, whoever wrote that."""

    def selections(self) -> list[Selection]:
        """What a journal has to be asked for, one for each pattern."""
        patterns = _needed(self.patterns) or [EVERYTHING]
        if self.changed:
            return [Selection(pattern, self.from_us, self.to_us) for pattern in patterns]
        narrowed = (self.from_us, self.to_us, self.types, self.author, self.kinds)
        return [Selection(pattern, *narrowed) for pattern in patterns]

    def wants(self, entry: JournalEntry) -> bool:
        """Whether an entry that one of the selections matches is wanted."""
        return (
            (self.author is None or self.author in (entry.author, entry.name))
            and (self.types is None or entry.signal_type in self.types)
            and (self.kinds is None or entry.kind in self.kinds)
            and not any(pattern.matches(entry.address) for pattern in self.excluded if entry.address)
            and all(test(entry) for test in self.tests)
        )

    @property
    def is_plain(self) -> bool:
        """Whether every entry that the selections match is wanted."""
        return not (self.excluded or self.tests or self.changed)


def _needed(patterns: tuple[Pattern, ...]) -> list[Pattern]:
    """The patterns without those that another one makes superfluous."""
    needed: list[Pattern] = []
    for pattern in patterns:
        if not any(other.covers(pattern) for other in needed):
            needed = [other for other in needed if not pattern.covers(other)]
            needed.append(pattern)
    return needed


async def pages(journal: Journal, inquiry: Inquiry) -> AsyncIterator[list[JournalEntry]]:
    """The wanted entries, oldest first, in lists; a list may be empty where much was looked at in vain."""
    contents = Contents(journal) if inquiry.changed else None
    async for page in _merged(journal, inquiry):
        yield await _wanted(page, inquiry, contents)


async def entries(journal: Journal, inquiry: Inquiry) -> AsyncIterator[JournalEntry]:
    """The wanted entries, oldest first."""
    async for page in pages(journal, inquiry):
        for entry in page:
            yield entry


async def newest(journal: Journal, inquiry: Inquiry, count: int) -> list[JournalEntry]:
    """The newest `count` of the wanted entries, oldest first."""
    asked = count
    inquiry = await _bounded(journal, inquiry)
    while count > 0:
        after = await _before_newest(journal, inquiry, asked)
        tail = replace(inquiry, span=Span(after, inquiry.span.upto_seq))
        found = [entry async for entry in entries(journal, tail)][-count:]
        if len(found) == count or after <= inquiry.span.after_seq or inquiry.is_plain:
            return found
        asked *= 4
    return []


async def newest_pages(journal: Journal, inquiry: Inquiry, count: int) -> AsyncIterator[list[JournalEntry]]:
    """The same in lists; where the place of the first is known at once, nothing is held but a page."""
    inquiry = await _bounded(journal, inquiry)
    if inquiry.is_plain and len(selections := inquiry.selections()) == 1 and count > 0:
        if count <= PAGE_ENTRIES:
            after, upto = inquiry.span
            assert upto is not None
            yield await journal.newest(selections[0], count, after_seq=after, upto_seq=upto)
            return
        after = await _before_newest(journal, inquiry, count)
        async for page in pages(journal, replace(inquiry, span=Span(after, inquiry.span.upto_seq))):
            yield page
        return
    yield await newest(journal, inquiry, count)


async def backwards(journal: Journal, inquiry: Inquiry) -> AsyncIterator[list[JournalEntry]]:
    """The wanted entries, newest first, in lists."""
    inquiry = await _bounded(journal, inquiry)
    after, upto = inquiry.span
    while upto is not None and upto > after:
        begin = await _before_newest(journal, inquiry, PAGE_ENTRIES)
        part = replace(inquiry, span=Span(begin, upto))
        yield [entry async for entry in entries(journal, part)][::-1]
        upto = begin
        inquiry = replace(inquiry, span=Span(after, upto))


async def _bounded(journal: Journal, inquiry: Inquiry) -> Inquiry:
    """The same, up to the latest entry there is now."""
    after, upto = inquiry.span
    latest = await journal.latest_seq()
    return replace(inquiry, span=Span(after, latest if upto is None else min(upto, latest)))


async def _before_newest(journal: Journal, inquiry: Inquiry, count: int) -> int:
    """A number behind which there are `count` selected entries; the first bound if there are not so many."""
    after, upto = inquiry.span
    assert upto is not None
    firsts = [
        await journal.nth_newest(selection, count, after_seq=after, upto_seq=upto)
        for selection in inquiry.selections()
    ]
    return max(firsts) - 1


async def _wanted(
    page: list[JournalEntry], inquiry: Inquiry, contents: Contents | None
) -> list[JournalEntry]:
    if inquiry.is_plain:
        return page
    if contents is None:
        return [entry for entry in page if inquiry.wants(entry)]
    return [entry for entry in page if await contents.differs(entry) and inquiry.wants(entry)]


async def _merged(journal: Journal, inquiry: Inquiry) -> AsyncIterator[list[JournalEntry]]:
    """The selected entries of all patterns in order, each once."""
    selections = inquiry.selections()
    if len(selections) == 1:
        async for page in Results(journal, selections[0], span=inquiry.span).pages():
            yield page
        return
    inquiry = await _bounded(journal, inquiry)
    reads = [aiter(Results(journal, one, span=inquiry.span).pages()) for one in selections]
    waiting: list[list[JournalEntry]] = [[] for _ in reads]
    ended: set[int] = set()
    while True:
        for at, read in enumerate(reads):
            if not waiting[at] and at not in ended:
                waiting[at] = await anext(read, [])
                if not waiting[at]:
                    ended.add(at)
        if not any(waiting):
            return
        yield _take_certain(waiting)


def _take_certain(waiting: list[list[JournalEntry]]) -> list[JournalEntry]:
    """Take what is certainly next: everything up to the shortest reach of the pages that wait."""
    reach = min(page[-1].seq for page in waiting if page)
    taken: dict[int, JournalEntry] = {}
    for page in waiting:
        count = sum(1 for entry in page if entry.seq <= reach)
        taken |= {entry.seq: entry for entry in page[:count]}
        del page[:count]
    return [taken[seq] for seq in sorted(taken)]
