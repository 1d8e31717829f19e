"""A show of three hours of which everything is known, and the brute-force answers about it.

The model holds the entries in a list and looks at all of them for every answer; its matcher is its own.
"""

import random
from collections import Counter
from functools import cache
from typing import NamedTuple

from clasp_journal.entry import EntryKind, JournalEntry, Phase, SignalType, absolute_ttl

BEGAN_US = 1_763_755_200_000_000
HOURS_US = 3 * 3_600 * 1_000_000
MESSAGES = (EntryKind.SET, EntryKind.PUBLISH)
DESKS = (("session-1", "light desk"), ("session-2", "sound desk"), ("session-3", "light desk"), ("tom", None))
PATTERNS = (
    *("/**", "/lights/**", "/lights/*/1/level", "/lights/zone5*/**", "/**/level", "/sound/*/fader"),
    *("/cue/go", "/flash/*", "/lights/zone1/2/level", "/nothing/**", "/*/*", "/lights/*/*/*"),
)


def make_show(count: int, seed: int) -> list[JournalEntry]:
    """So many entries; their revisions are those that a router gives, and once the clock is set back."""
    rng = random.Random(seed)
    revisions: Counter[str] = Counter()
    burning: list[str] = []
    show: list[JournalEntry] = []
    gap_us = HOURS_US // count
    at_us = BEGAN_US
    while len(show) < count:
        at_us += rng.randrange(2 * gap_us)
        if len(show) == count // 2:
            at_us -= 20_000_000
        entry = _message(rng, at_us)
        if entry.address in burning:
            # A flash that burns is let burn out first.
            burning.remove(entry.address)
            show.append(
                JournalEntry(at_us, "", entry.address, EntryKind.EXPIRE, revision=revisions[entry.address])
            )
            continue
        if entry.kind is EntryKind.SET:
            revisions[entry.address] += 1
            entry = entry._replace(revision=revisions[entry.address])
            if entry.ttl:
                burning.append(entry.address)
        show.append(entry)
    return [entry._replace(seq=number) for number, entry in enumerate(show, 1)]


def _message(rng: random.Random, at_us: int) -> JournalEntry:
    author, name = rng.choice(DESKS)
    chance = rng.random()
    if chance < 0.5:
        address = f"/lights/zone{rng.randrange(1, 60)}/{rng.randrange(1, 4)}/level"
        entry = JournalEntry.from_set(address, round(rng.random(), 2), author=author, timestamp=at_us)
    elif chance < 0.7:
        value = rng.choice([0, 1, -3.5, "mute", {"db": rng.randrange(9)}, None, b"\0"])
        address = f"/sound/{rng.randrange(32)}/fader"
        entry = JournalEntry.from_set(address, value, author=author, timestamp=at_us)
    elif chance < 0.72:
        entry = JournalEntry.from_set(f"/flash/{rng.randrange(5)}", 1, author=author, timestamp=at_us)
        entry = entry._replace(ttl=absolute_ttl(1))
    elif chance < 0.8:
        entry = JournalEntry.from_publish("/cue/go", rng.randrange(200), author=author, timestamp=at_us)
    elif chance < 0.9:
        kind = SignalType.GESTURE
        address = f"/pad/{rng.randrange(4)}"
        entry = JournalEntry.from_publish(address, [1.5, 2], author=author, timestamp=at_us, signal_type=kind)
        entry = entry._replace(gesture_id=rng.randrange(9), phase=Phase(rng.randrange(4)))
    else:
        kind, address = SignalType.STREAM, f"/meters/{rng.randrange(8)}"
        entry = JournalEntry(
            at_us, author, address, EntryKind.PUBLISH, kind, samples=b"\0" * 16, rate=100, sent=at_us - 900
        )
    return entry._replace(name=name)


@cache
def matches(pattern: str, address: str) -> bool:
    """Whether a pattern means an address; by trying everything."""
    return _fits(pattern.split("/")[1:], address.split("/")[1:])


def _fits(pattern: list[str], address: list[str]) -> bool:
    if not pattern:
        return not address
    head, rest = pattern[0], pattern[1:]
    if head == "**":
        return any(_fits(rest, address[skipped:]) for skipped in range(len(address) + 1))
    return bool(address) and _spells(head, address[0]) and _fits(rest, address[1:])


def _spells(segment: str, text: str) -> bool:
    if "*" not in segment:
        return segment == text
    before, after = segment.split("*")
    return len(text) >= len(before + after) and text.startswith(before) and text.endswith(after)


class Param(NamedTuple):
    """What the model knows of a param."""

    encoded: bytes
    revision: int
    writer: str
    timestamp: int
    ttl: int | None


class Model:
    """Answers by looking at everything."""

    def __init__(self, show: list[JournalEntry]) -> None:
        self.show = show

    def place(self, at_us: int) -> int:
        """The number of the last entry that is not later."""
        return max((entry.seq for entry in self.show if entry.timestamp <= at_us), default=0)

    def state(self, seq: int, pattern: str = "/**") -> dict[str, Param]:
        """Every matching param right after an entry."""
        found: dict[str, JournalEntry] = {}
        for entry in self.show[:seq]:
            if entry.kind is EntryKind.SET:
                found[entry.address] = entry
            elif entry.kind is EntryKind.EXPIRE:
                found.pop(entry.address, None)
        return {
            address: Param(last.encoded, last.revision, last.author, last.timestamp, last.ttl)
            for address, last in found.items()
            if matches(pattern, address)
        }

    def diff(self, first: int, second: int, pattern: str) -> list[tuple[str, bytes | None, bytes | None]]:
        """Address, value before and after, where they differ."""
        before, after = self.state(first, pattern), self.state(second, pattern)
        values = (
            (a, before[a].encoded if a in before else None, after[a].encoded if a in after else None)
            for a in sorted(before.keys() | after.keys())
        )
        return [change for change in values if change[1] != change[2]]

    def entries(self, pattern: str, from_us: int, to_us: int) -> list[JournalEntry]:
        """What happened between two instants."""
        return [e for e in self.show if from_us <= e.timestamp <= to_us and matches(pattern, e.address)]

    def who(self, pattern: str, from_us: int, to_us: int) -> list[tuple[str, int, int, int, int]]:
        """Author, messages, SETs, PUBLISHes, addresses; whoever wrote most first."""
        told: dict[str, list[JournalEntry]] = {}
        for entry in self.entries(pattern, from_us, to_us):
            if entry.kind in MESSAGES:
                told.setdefault(entry.author, []).append(entry)
        rows = []
        for author, found in told.items():
            sets = sum(entry.kind is EntryKind.SET for entry in found)
            addresses = len({entry.address for entry in found})
            rows.append((author, len(found), sets, len(found) - sets, addresses))
        return sorted(rows, key=lambda row: (-row[1], row[0]))

    def top(self, pattern: str, from_us: int, to_us: int) -> list[tuple[str, int, int, int]]:
        """Address, messages, bytes, messages in its busiest second; by messages."""
        counts: Counter[str] = Counter()
        size_bytes: Counter[str] = Counter()
        seconds: Counter[tuple[str, int]] = Counter()
        for entry in self.entries(pattern, from_us, to_us):
            if entry.kind in MESSAGES:
                counts[entry.address] += 1
                size_bytes[entry.address] += len(entry.encoded or b"") + len(entry.samples or b"")
                seconds[entry.address, entry.timestamp // 1_000_000] += 1
        peaks: Counter[str] = Counter()
        for (address, _), messages in seconds.items():
            peaks[address] = max(peaks[address], messages)
        rows = [(a, counts[a], size_bytes[a], peaks[a]) for a in counts]
        return sorted(rows, key=lambda row: (-row[1], row[0]))
