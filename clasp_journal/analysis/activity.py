"""Who was there and what they did; which addresses are the busiest.

Both count messages (SET and PUBLISH) that an inquiry wants, unless it names other kinds. They read all of
them once, and hold one sum for each author or address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from clasp_journal.analysis.inquiry import Inquiry, pages
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.journal import Journal
from clasp_journal.selection import MESSAGES

_SECOND_US = 1_000_000


class Activity(NamedTuple):
    """What one author did."""

    author: str
    """The subject of a token, or a session id."""
    names: tuple[str, ...]
    """What its clients called themselves, in the order in which they came."""
    entries: int
    sets: int
    publishes: int
    addresses: int
    """How many different ones."""
    first_us: int
    last_us: int


class Traffic(NamedTuple):
    """What went over one address."""

    address: str
    entries: int
    size_bytes: int
    """Of values and samples, as they are encoded."""
    peak_per_s: int
    """Entries in its busiest second of the clock."""
    first_us: int
    last_us: int


class By(StrEnum):
    """What makes an address busy."""

    COUNT = "count"
    BYTES = "bytes"
    RATE = "rate"

    def of(self, traffic: Traffic) -> int:
        """How busy an address is, in this sense."""
        counts = {By.COUNT: traffic.entries, By.BYTES: traffic.size_bytes, By.RATE: traffic.peak_per_s}
        return counts[self]


def _unwatched(count: int) -> None:
    """Stands for a listener where nobody wants to be told about progress."""


async def who(
    journal: Journal, inquiry: Inquiry, on_progress: Callable[[int], None] = _unwatched
) -> list[Activity]:
    """The authors, whoever did most first; `on_progress` is told how many more entries were counted."""
    tallies: dict[str, _Person] = {}
    async for page in pages(journal, _of_messages(inquiry)):
        for entry in page:
            tallies.setdefault(entry.author, _Person()).add(entry)
        on_progress(len(page))
    found = [tally.activity(author) for author, tally in tallies.items()]
    return sorted(found, key=lambda one: (-one.entries, one.author))


async def top(
    journal: Journal,
    inquiry: Inquiry,
    by: By = By.COUNT,
    on_progress: Callable[[int], None] = _unwatched,
) -> list[Traffic]:
    """The addresses, the busiest first."""
    tallies: dict[str, _Busyness] = {}
    async for page in pages(journal, _of_messages(inquiry)):
        for entry in page:
            if entry.address:
                tallies.setdefault(entry.address, _Busyness()).add(entry)
        on_progress(len(page))
    found = [tally.traffic(address) for address, tally in tallies.items()]
    return sorted(found, key=lambda one: (-by.of(one), one.address))


def _of_messages(inquiry: Inquiry) -> Inquiry:
    return replace(inquiry, kinds=MESSAGES) if inquiry.kinds is None else inquiry


class _Times:
    """The first and the last time of entries, in whatever order they come."""

    __slots__ = ("first_us", "last_us")

    def __init__(self) -> None:
        self.first_us: int | None = None
        self.last_us = 0

    def see(self, at_us: int) -> None:
        if self.first_us is None:
            self.first_us = self.last_us = at_us
        self.first_us = min(self.first_us, at_us)
        self.last_us = max(self.last_us, at_us)

    @property
    def both(self) -> tuple[int, int]:
        return self.first_us or 0, self.last_us


class _Person:
    __slots__ = ("addresses", "entries", "names", "publishes", "sets", "times")

    def __init__(self) -> None:
        self.entries = self.sets = self.publishes = 0
        self.addresses: set[str] = set()
        self.names: dict[str, None] = {}
        self.times = _Times()

    def add(self, entry: JournalEntry) -> None:
        self.entries += 1
        self.sets += entry.kind == EntryKind.SET
        self.publishes += entry.kind == EntryKind.PUBLISH
        self.addresses.add(entry.address)
        if entry.name is not None:
            self.names[entry.name] = None
        self.times.see(entry.timestamp)

    def activity(self, author: str) -> Activity:
        counts = (self.entries, self.sets, self.publishes, len(self.addresses))
        return Activity(author, tuple(self.names), *counts, *self.times.both)


class _Busyness:
    __slots__ = ("entries", "seconds", "size_bytes", "times")

    def __init__(self) -> None:
        self.entries = self.size_bytes = 0
        self.seconds: dict[int, int] = {}
        self.times = _Times()

    def add(self, entry: JournalEntry) -> None:
        self.entries += 1
        self.size_bytes += len(entry.encoded or b"") + len(entry.samples or b"")
        second = entry.timestamp // _SECOND_US
        self.seconds[second] = self.seconds.get(second, 0) + 1
        self.times.see(entry.timestamp)

    def traffic(self, address: str) -> Traffic:
        peak_per_s = max(self.seconds.values())
        return Traffic(address, self.entries, self.size_bytes, peak_per_s, *self.times.both)
