"""Which snapshots are worth keeping.

Law: a snapshot that was kept once stays kept when newer ones come, so that thinning after every snapshot
and thinning once at the end leave the same gaps: the state at any instant costs a bounded tail.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

NEWEST_KEPT = 4
"""The newest ones stay whatever their distance: a damaged one has others beside it."""
APART_ENTRIES = 200_000
APART_US = 10 * 60 * 1_000_000


class Taken(NamedTuple):
    """Where in the log a snapshot is true, and when it was written, in microseconds."""

    at_seq: int
    at_us: int


def surplus(snapshots: Iterable[Taken]) -> list[int]:
    """The `at_seq` of those that can go, given all there are.

    The oldest is the base and stays. Behind it stays whichever is both 200,000 entries and 10 minutes
    younger than the one kept before it. Where the clock went back, the time counts as having passed.
    """
    gone: list[int] = []
    kept: Taken | None = None
    for snapshot in sorted(snapshots)[:-NEWEST_KEPT]:
        if kept is None or _is_apart(kept, snapshot):
            kept = snapshot
        else:
            gone.append(snapshot.at_seq)
    return gone


def _is_apart(older: Taken, younger: Taken) -> bool:
    elapsed_us = younger.at_us - older.at_us
    return younger.at_seq - older.at_seq >= APART_ENTRIES and (elapsed_us >= APART_US or elapsed_us < 0)
