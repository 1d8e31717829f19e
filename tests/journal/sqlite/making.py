"""Entries of every sort, and journals in files, for the tests of the SQLite backend."""

import asyncio
import math
import struct
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path

from hypothesis import strategies as st

from clasp_journal.entry import EntryKind, JournalEntry, ParamSnapshot, Phase, SignalType
from clasp_journal.journal import Journal
from clasp_journal.restore import State
from clasp_journal.sqlite import SqliteJournal
from clasp_journal.value import encode

START_US = 1_700_000_000_000_000

ADDRESSES = (
    *("/a", "/a/b", "/A/b", "/a/_", "/a/%", "/a/x", "/b/zone5/level", "/b/zone51/level", "/ä/ö"),
    *("/a/", "/b/*", "/日本/a", "/a/b/c/d"),
)
PATTERNS = (
    *("/**", "/*", "/a/*", "/a/_", "/a/%", "/A/**", "/b/zone5*/level", "/**/level", "/ä/*", "/a/**"),
    *("/b/*", "/nothing", "/*/b", "/**/**", "/日*/a"),
)


def was_set(address: str, value: object, at_us: int = START_US, revision: int | None = 1) -> JournalEntry:
    """A SET."""
    return JournalEntry.from_set(address, value, author="s1", timestamp=at_us, revision=revision)


def was_sent(address: str, value: object, at_us: int = START_US) -> JournalEntry:
    """A PUBLISH of an event."""
    return JournalEntry.from_publish(address, value, author="s1", timestamp=at_us)


def expired(address: str, revision: int, at_us: int = START_US) -> JournalEntry:
    """The end of a param."""
    return JournalEntry(at_us, "", address, EntryKind.EXPIRE, revision=revision)


async def filled(path: Path, entries: Iterable[JournalEntry]) -> list[JournalEntry]:
    """Write a journal, close it, and return what it holds."""
    async with SqliteJournal(path) as journal:
        await journal.append(entries)
        return await journal.query()


def folded(entries: Iterable[JournalEntry]) -> State:
    """The state that entries amount to."""
    state = State()
    for entry in entries:
        state.apply(entry)
    return state


def facts(state: State) -> tuple[object, ...]:
    """What makes two states the same: the order of tombstones matters, that of live params does not."""
    return dict(state.live), list(state.tombstones.items()), state.revision_floor


async def loaded(journal: Journal, at_seq: int | None = None) -> State:
    """The state of the newest snapshot."""
    snapshot = await journal.load_snapshot(at_seq)
    assert snapshot is not None
    return State(snapshot.params, snapshot.revision_floor)


class Growing:
    """One journal for all examples of a property: opening a file for each would take most of the time."""

    def __init__(self, path: Path) -> None:
        self._runner = asyncio.Runner()
        self._journal = self._runner.run(_opened(path))

    def tell(self, story: Callable[[SqliteJournal, int], Coroutine[None, None, None]]) -> None:
        """Let a story go on where the journal ends."""

        async def part() -> None:
            await story(self._journal, await self._journal.latest_seq())

        self._runner.run(part())

    def close(self) -> None:
        """Close the journal."""
        self._runner.run(self._journal.close())
        self._runner.close()


async def _opened(path: Path) -> SqliteJournal:
    return await SqliteJournal(path).open()


def params(count: int) -> list[ParamSnapshot]:
    """Live params."""
    return [ParamSnapshot(f"/p/{n}", encode(n), n + 1, "s1", START_US + n) for n in range(count)]


def _f64(bits: int) -> bytes:
    return b"\x07" + struct.pack(">Q", bits)


scalars = st.one_of(
    st.just(b"\x00"),
    st.sampled_from([b"\x01\x00", b"\x01\x01", b"\x01\x02"]),
    *(
        st.binary(min_size=size, max_size=size).map(bytes((kind,)).__add__)
        for kind, size in ((2, 1), (3, 2), (4, 4))
    ),
    *(
        st.binary(min_size=size, max_size=size).map(bytes((kind,)).__add__)
        for kind, size in ((5, 8), (6, 4), (7, 8))
    ),
    st.sampled_from([b"\x05\x7f" + b"\xff" * 7, b"\x05\x80" + b"\x00" * 7]),
    st.sampled_from([_f64(0x7FF0000000000001), _f64(0xFFF8000000000000), _f64(0x8000000000000000)]),
    st.sampled_from([b"\x06\x7f\x80\x00\x01", b"\x06\x80\x00\x00\x00", encode(math.inf), encode(-math.inf)]),
    st.floats().map(encode),
)
trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
encoded_values = st.one_of(scalars, trees.map(encode), st.binary(max_size=12))
"""Values of every type in every form that can arrive, and bytes that are no value at all."""


def _entries(
    addresses: st.SearchStrategy[str], times: st.SearchStrategy[int]
) -> st.SearchStrategy[JournalEntry]:
    small = st.none() | st.integers(0, (1 << 32) - 1)
    return st.builds(
        JournalEntry,
        timestamp=times,
        author=st.sampled_from(("s1", "s2", "tom", "")),
        address=addresses,
        kind=st.sampled_from(EntryKind),
        signal_type=st.none() | st.sampled_from(SignalType),
        encoded=st.none() | encoded_values,
        revision=st.none() | st.integers(0, 1 << 40),
        ttl=small,
        samples=st.none() | st.binary(max_size=16),
        rate=small,
        gesture_id=small,
        phase=st.none() | st.sampled_from(Phase),
        sent=st.none() | st.integers(0, (1 << 64) - 1),
        name=st.none() | st.sampled_from(("desk", "tom", "ünïcode")),
        details=st.none() | st.dictionaries(st.text(max_size=5), st.integers(0, 99), max_size=2).map(encode),
    )


times = st.one_of(
    st.integers(START_US, START_US + 40),
    st.integers(START_US, START_US + 40).map(lambda at_us: at_us + 5_000_000),
    st.integers(-5, 5),
)
"""Few enough to collide, near enough to jitter, far enough to step."""
entries = _entries(st.sampled_from(("", *ADDRESSES)), times)
"""Anything that an entry can be."""


@st.composite
def histories(draw: st.DrawFn) -> list[JournalEntry]:
    """SETs and expiries, mostly with the revisions that a router gives."""
    revisions: dict[str, int] = {}
    told = []
    for at in range(draw(st.integers(0, 30))):
        address = draw(st.sampled_from(ADDRESSES[:4]))
        what = draw(st.integers(0, 9))
        if what < 6:
            revisions[address] = revisions.get(address, 0) + 1
            told.append(was_set(address, at, START_US + at, revisions[address] if what else None))
        elif what < 9:
            told.append(expired(address, revisions.get(address, 0), START_US + at))
        else:
            told.append(was_sent(address, at, START_US + at))
    return told
