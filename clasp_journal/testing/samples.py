"""What the checks are made of: small entries, short waits and the comparisons that they share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Protocol

from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.journal import Journal
from clasp_journal.restore import State, fold
from clasp_journal.value import Value

Make = Callable[[], Awaitable[Journal]]
"""Gives a fresh, empty journal."""
Reopen = Callable[[Journal], Awaitable[Journal]]
"""Opens again what a closed journal kept."""


class Check(Protocol):
    """One promise, tried on fresh journals."""

    __name__: str

    async def __call__(self, make: Make, /) -> None: ...


class PersistenceCheck(Protocol):
    """One promise about closing and opening again."""

    __name__: str

    async def __call__(self, make: Make, reopen: Reopen, /) -> None: ...


START_US = 1_700_000_000_000_000
"""The first instant in every check."""
PATIENCE_S = 20
"""How long a check waits for what must happen."""


def was_set(address: str, value: Value = 0, at: int = 0, *, author: str = "desk") -> JournalEntry:
    """A SET, `at` microseconds after the start."""
    return JournalEntry.from_set(address, value, author=author, timestamp=START_US + at)


def was_published(
    address: str, value: Value = 0, at: int = 0, *, signal_type: SignalType = SignalType.EVENT
) -> JournalEntry:
    """A PUBLISH, `at` microseconds after the start."""
    return JournalEntry.from_publish(
        address, value, author="desk", timestamp=START_US + at, signal_type=signal_type
    )


def has_expired(address: str, revision: int, at: int = 0) -> JournalEntry:
    """The end of a param."""
    return JournalEntry(START_US + at, "", address, EntryKind.EXPIRE, revision=revision)


def a_series(count: int, address: str = "/a", first: int = 0) -> list[JournalEntry]:
    """SETs of one address with the values `first`, `first + 1`, …, one microsecond apart."""
    return [was_set(address, first + n, first + n) for n in range(count)]


def numbered(entries: Iterable[JournalEntry], first: int = 1) -> list[JournalEntry]:
    """The same entries as a journal gives them back."""
    return [entry._replace(seq=seq) for seq, entry in enumerate(entries, start=first)]


async def stored(journal: Journal, entries: Iterable[JournalEntry]) -> list[JournalEntry]:
    """Append entries and return them as they must come back."""
    first = await journal.latest_seq() + 1
    kept = numbered(entries, first)
    last = await journal.append(kept)
    assert last == first + len(kept) - 1, f"append returned {last}, the last of {len(kept)} from {first} on"
    return kept


async def must_hold(journal: Journal, entries: list[JournalEntry], why: str = "") -> None:
    """The journal has exactly these entries."""
    found = await journal.query()
    assert found == entries, f"{why or 'the whole journal'}: {difference(found, entries)}"


def difference(found: list[JournalEntry], wanted: list[JournalEntry]) -> str:
    """Where two lists of entries part, for a message."""
    for place, (here, there) in enumerate(zip(found, wanted, strict=False)):
        if here != there:
            return f"entry {place} is {here}, not {there}"
    return f"{len(found)} entries, not {len(wanted)}: {[entry.seq for entry in found][:20]}"


async def must_tell_states(journal: Journal, entries: list[JournalEntry], from_seq: int) -> None:
    """Every state from some number on is the fold of all entries up to there."""
    for at_seq in range(from_seq, len(entries) + 1):
        state = await journal.state(at_seq)
        assert same_state(state, fold(None, entries[:at_seq])), f"the state after entry {at_seq} is wrong"


def same_state(one: State, other: State) -> bool:
    """Whether two states are the same to the bit."""
    return (
        one.live == other.live
        and list(one.tombstones.items()) == list(other.tombstones.items())
        and one.revision_floor == other.revision_floor
    )


async def take(entries: AsyncIterator[JournalEntry], count: int) -> list[JournalEntry]:
    """The next few entries of a stream, which then is closed."""
    taken: list[JournalEntry] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(taken) < count:
            taken.append(await anext(entries))
    await close_stream(entries)
    return taken


async def close_stream(entries: AsyncIterator[JournalEntry]) -> None:
    """Tell a stream that nobody reads on."""
    aclose = getattr(entries, "aclose", None)
    if aclose is not None:
        await aclose()


async def must_raise(expected: type[BaseException], attempt: Awaitable[object], what: str) -> None:
    """An attempt fails in the promised way."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await attempt
    except expected:
        return
    raise AssertionError(f"{what} did not raise {expected.__name__}")
