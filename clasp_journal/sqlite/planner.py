"""Which way to the matching entries costs less.

Two ways lead there. *Merging* follows the index of each matching address and puts the entries in order by
number: it touches nothing else, but every address costs a look. *Scanning* goes through the log in order
and drops what does not match: it costs nothing to begin, but every entry on the way is looked at. Scanning
is done in slices; after each, what was found in it says more about the density than any guess.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

SCAN_SLICE_ENTRIES = 40_000
"""Entries that one job looks at: what a writer's checkpoint may have to wait for."""
PROBE_ENTRIES_MIN, PROBE_ENTRIES_MAX = 1_000, 10_000
"""What the first job of a scan looks at, at least and at most, to learn whether the guess was right."""
MERGE_SLICE_ENTRIES = 10_000
"""The same for entries read through an index, each of which costs more."""

SEEK_US = 2.0
RECALL_US = 0.2
OPEN_US = 3.0
STEP_US = 3.0
SCANNED_US = 0.25


class Plan(Enum):
    """A way to the entries."""

    MERGE = "merge"
    SCAN = "scan"


class Task(NamedTuple):
    """What decides between the ways."""

    matched_addresses: int | None
    """None: all, and no address is ever in the way."""
    known_addresses: int
    span_entries: int
    wanted_entries: int
    knows_ends: bool = False
    """Whether the last entries of addresses need not be looked for."""
    density: float | None = None
    """Which share of the entries matched in the slices scanned so far."""


def choose(task: Task) -> Plan:
    """The way that costs less."""
    if task.matched_addresses is None:
        return Plan.SCAN
    return Plan.MERGE if merging_us(task) <= scanning_us(task) else Plan.SCAN


def merging_us(task: Task) -> float:
    """What merging costs: a look per address, a cursor per address that comes first, a step per entry."""
    addresses = task.matched_addresses or 0
    wanted = min(task.wanted_entries, task.span_entries)
    return (
        addresses * (RECALL_US if task.knows_ends else SEEK_US)
        + min(addresses, wanted) * OPEN_US
        + wanted * STEP_US
    )


def scanning_us(task: Task) -> float:
    """What scanning costs; as long as that is a guess, twice as much, which is what trying it costs."""
    return scanned_entries(task) * SCANNED_US * (2 if task.density is None else 1)


def scanned_entries(task: Task) -> float:
    """How many entries scanning looks at until enough have matched, as far as is known."""
    density = task.density
    if density is None:
        density = (task.matched_addresses or 0) / max(task.known_addresses, 1)
    return min(task.span_entries, task.wanted_entries / max(density, 1e-9))


def probe_entries(task: Task) -> int:
    """How many entries show whether a guess is about right."""
    return int(min(max(2 * scanned_entries(task), PROBE_ENTRIES_MIN), PROBE_ENTRIES_MAX))
