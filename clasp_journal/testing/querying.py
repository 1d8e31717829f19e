"""Queries: by pattern, time, type, kind, author and number; which of many; and in which order."""

from __future__ import annotations

from itertools import product

from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.errors import PatternError
from clasp_journal.journal import Journal
from clasp_journal.selection import MESSAGES, Selection
from clasp_journal.testing.samples import (
    START_US,
    Make,
    a_series,
    difference,
    stored,
    was_published,
    was_set,
)

ADDRESSES = (
    *("/", "/a", "/a/", "/a/b", "/a/b/c", "/a/bc", "/a/c/c", "/A/b", "/a/x/y/c", "/b/a"),
    *("/light/zone1/level", "/light/zone1x/level", "/light/zone/level", "/light/zone10/level"),
    *("/100%", "/100_", "/1000", "/a_b", "/aXb", "/it's", '/"q"', "/a[b]", "/a?", "/a;b", "/ä/ö", "/Ä/ö"),
)
PATTERNS = (
    *("/**", "/a", "/a/", "/a/*", "/a/**", "/**/c", "/a/**/c", "/*/b", "/*/*", "/a/*/c", "/A/*", "/b", "/c"),
    *("/light/zone*/level", "/light/zone1*/level", "/light/*1/*", "/*_b", "/100%", "/100_", "/a_b"),
    *("/it's", '/"*', "/a[b]", "/a?", "/ä/*", "/**/level", "/", "/*"),
)


async def check_a_query_answers_oldest_first(make: Make) -> None:
    """Everything, in the order of its numbers, awaited or streamed, as often as one likes."""
    async with await make() as journal:
        kept = await stored(journal, [was_set(f"/{n % 7}", n, n) for n in range(2_300)])
        results = journal.query()
        assert await results == kept, "an awaited query is the list of all entries"
        assert [entry async for entry in results] == kept, "a query can be asked again, as a stream"
        sizes = [len(page) async for page in journal.query().pages(1_000)]
        assert sizes == [1_000, 1_000, 300], f"pages of up to 1000: {sizes}"


async def check_patterns_mean_what_matches_says(make: Make) -> None:
    """Case, `_`, `%`, quotes and slashes at the end: only `*` and `**` are special."""
    async with await make() as journal:
        kept = await stored(journal, [was_set(address, n, n) for n, address in enumerate(ADDRESSES * 3)])
        for text in PATTERNS:
            pattern = Pattern.parse(text)
            wanted = [entry for entry in kept if pattern.matches(entry.address)]
            for asked in (text, pattern):
                found = await journal.query(asked)
                assert found == wanted, f"{text}: {difference(found, wanted)}"
            newest = await journal.query(text, limit=2, newest=True)
            assert newest == wanted[-2:], f"the newest of {text}: {difference(newest, wanted[-2:])}"


async def check_what_is_no_pattern_is_refused_at_once(make: Make) -> None:
    """The error comes from the call itself, before anything is awaited."""
    async with await make() as journal:
        for text in ("", "a", "//", "/a//b", "/" + "x" * 1_024):
            try:
                journal.query(text)
            except PatternError:
                continue
            raise AssertionError(f"{text[:20]!r} was taken for a pattern")


async def check_time_bounds_are_inclusive(make: Make) -> None:
    """An entry at the very bound belongs to the answer."""
    async with await make() as journal:
        await stored(journal, [was_set("/a", n, n * 10) for n in range(10)])
        for from_, to, wanted in (
            (30, 50, [3, 4, 5]),
            (31, 49, [4]),
            (None, 10, [0, 1]),
            (85, None, [9]),
            (90, 90, [9]),
            (41, 49, []),
            (50, 30, []),
            (91, None, []),
            (None, -1, []),
        ):
            found = await journal.query("/a", _moment(from_), _moment(to))
            assert [entry.value for entry in found] == wanted, f"from {from_} to {to}: {wanted}"


def _moment(at: int | None) -> int | None:
    return None if at is None else START_US + at


async def check_time_is_exact_where_the_clock_went_back(make: Make) -> None:
    """Steps back, standing still and jumps ahead: each query finds exactly what lies in its bounds."""
    times = (10, 20, 30, 5, 6, 6, 40, 39, 38, 100, 0, 50, 50, 12, 90)
    async with await make() as journal:
        kept = await stored(journal, [was_set(f"/{n % 2}", n, at) for n, at in enumerate(times)])
        bounds = (None, 0, 6, 12, 39, 50, 95, 200)
        for pattern, from_, to in product(("/**", "/0", "/*"), bounds, bounds):
            selection = Selection(Pattern.parse(pattern), _moment(from_), _moment(to))
            await _must_select(journal, selection, kept)


async def _must_select(journal: Journal, selection: Selection, kept: list[JournalEntry]) -> None:
    """All, the oldest two and the newest two are what the definition picks."""
    wanted = [entry for entry in kept if selection.matches(entry)]
    for limit, newest, part in ((None, False, wanted), (2, False, wanted[:2]), (2, True, wanted[-2:])):
        found = await journal.query(
            selection.pattern,
            selection.from_us,
            selection.to_us,
            limit,
            selection.types,
            author=selection.author,
            kinds=selection.kinds,
            newest=newest,
        )
        assert found == part, f"{selection}, limit {limit}, newest {newest}: {difference(found, part)}"


def _a_mixture() -> list[JournalEntry]:
    """Entries of every type and kind by several authors, a few of each address."""
    entries = []
    for n in range(120):
        address = f"/{'ab'[n % 2]}/{n % 5}"
        kind = n % 7
        if kind < 3:
            entry = was_set(address, n, n, author=f"client{n % 3}")
        elif kind < 6:
            entry = was_published(address, n, n, signal_type=SignalType(kind - 2))
        else:
            entry = JournalEntry(START_US + n, "", address if n % 2 else "", EntryKind(0xE0 + n % 4))
        entries.append(entry._replace(name="Desk" if n % 4 == 0 else None))
    return entries


async def check_types_kinds_and_authors_narrow_a_query(make: Make) -> None:
    """Alone and together they pick what `Selection.matches` picks."""
    types: tuple[frozenset[SignalType] | None, ...] = (
        None,
        frozenset(),
        frozenset({SignalType.PARAM}),
        frozenset({SignalType.EVENT, SignalType.STREAM}),
    )
    kinds: tuple[frozenset[int] | None, ...] = (
        None,
        frozenset(),
        MESSAGES,
        frozenset({0xE0, 0xE1}),
        frozenset({0x20}),
    )
    authors = (None, "client1", "desk", "Desk", "desK", "nobody", "")
    async with await make() as journal:
        kept = await stored(journal, _a_mixture())
        for text, of_types, of_kinds, author in product(("/**", "/a/*", "/a/1"), types, kinds, authors):
            selection = Selection(Pattern.parse(text), None, START_US + 99, of_types, author, of_kinds)
            await _must_select(journal, selection, kept)


async def check_with_types_the_own_kinds_are_left_out(make: Make) -> None:
    """They have no signal type; a query without types shows them."""
    async with await make() as journal:
        mark = JournalEntry(START_US, "", "/a", EntryKind.MARK)
        await journal.append([was_set("/a"), mark, was_published("/a")])
        assert len(await journal.query("/a")) == 3
        typed = await journal.query("/a", types=list(SignalType))
        assert [entry.kind for entry in typed] == [EntryKind.SET, EntryKind.PUBLISH]


async def check_the_limit_counts_what_matches(make: Make) -> None:
    """However rare the matching entries are among the others, and over more than one page."""
    async with await make() as journal:
        await journal.append(
            was_set("/rare" if n % 100 == 50 else f"/{n % 13}/x", n, n, author=f"{n % 3}")
            for n in range(3_000)
        )
        rare = await journal.query("/rare", limit=7)
        assert [entry.seq for entry in rare] == [51 + 100 * n for n in range(7)]
        rare = await journal.query("/rare", limit=7, newest=True)
        assert [entry.seq for entry in rare] == [2_951 - 100 * n for n in reversed(range(7))]
        by_author = await journal.query("/rare", limit=3, newest=True, author="1")
        assert [entry.seq for entry in by_author] == [2_351, 2_651, 2_951]
        for limit in (1, 999, 1_000, 1_001, 2_500):
            assert [e.seq for e in await journal.query(limit=limit)] == list(range(1, limit + 1))
            newest = await journal.query("/*/x", limit=limit, newest=True)
            assert [e.seq for e in newest] == [s for s in range(1, 3_001) if s % 100 != 51][-limit:]
        assert await journal.query(limit=0) == [], "a limit of 0 asks for nothing"
        assert await journal.query(limit=0, newest=True) == []
        assert len(await journal.query("/rare", limit=5_000, newest=True)) == 30


async def check_after_seq_starts_behind_a_number(make: Make) -> None:
    """With a pattern and a limit too, and with the newest entries."""
    async with await make() as journal:
        kept = await stored(journal, [was_set(f"/{n % 3}", n, n) for n in range(30)])
        assert await journal.query(after_seq=27) == kept[27:]
        assert await journal.query(after_seq=30) == []
        assert await journal.query(after_seq=99) == []
        assert [e.seq for e in await journal.query("/1", after_seq=5, limit=2)] == [8, 11]
        assert [e.seq for e in await journal.query("/1", after_seq=20, limit=50, newest=True)] == [23, 26, 29]


async def check_any_number_may_be_asked_for(make: Make) -> None:
    """Times and numbers beyond all that a journal could hold are bounds like others."""
    async with await make() as journal:
        kept = await stored(journal, a_series(5))
        for far in (2**63, 2**64 - 1, 10**30):
            for newest in (False, True):
                everything = journal.query(from_=-far, to=far, limit=far, newest=newest, kinds=MESSAGES)
                assert await everything == kept, f"from {-far} to {far}"
                assert await journal.query(from_=far, newest=newest, kinds=MESSAGES) == []
                assert await journal.query(to=-far, newest=newest, kinds=MESSAGES) == []
            assert await journal.since(far) == []
            assert (await journal.state(far)).live == (await journal.state()).live, f"the state after {far}"


async def check_since_gives_what_came_after(make: Make) -> None:
    """All entries above a number, or the oldest few of them."""
    async with await make() as journal:
        kept = await stored(journal, a_series(50))
        assert await journal.since(0) == kept
        assert await journal.since(48) == kept[48:]
        assert await journal.since(50) == []
        assert await journal.since(10, 5) == kept[10:15]


async def check_a_stream_ends_where_it_began_to_read(make: Make) -> None:
    """What is appended while somebody reads is not part of the answer; it is part of the next one."""
    async with await make() as journal:
        kept = await stored(journal, a_series(1_500))
        seen = []
        async for entry in journal.query("/a"):
            if entry.seq in (1, 1_000, 1_500):
                await journal.append(was_set("/a", -1))
            seen.append(entry)
        assert seen == kept, f"later entries came along: {difference(seen, kept)}"
        assert len(await journal.query("/a")) == 1_503


async def check_the_latest_of_every_address_can_be_asked(make: Make) -> None:
    """`newest` with a limit of one is the last entry of an address, however old it is."""
    async with await make() as journal:
        await journal.append([was_set("/old", 1), *a_series(2_000, "/busy")])
        assert [entry.seq for entry in await journal.query("/old", limit=1, newest=True)] == [1]
        assert [entry.seq for entry in await journal.query("/busy", limit=1, newest=True)] == [2_001]
        assert await journal.query("/never", limit=1, newest=True) == []
