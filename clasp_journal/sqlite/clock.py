"""Where times go back, so that searching by time can bisect and still be exact.

The log is cut into runs. Within a run a timestamp lies at most `slack_us` below the highest before it. So
every entry before one that is older than `from - slack_us` is itself older than `from`, and every entry
after one that is younger than `to + slack_us` is itself younger than `to`: bisection narrows a run to a
span that misses nothing, and a comparison does the rest.

A small step back widens the slack of its run, a large one begins a new run. Law: there are at most
`RUNS_MAX` runs; then even large steps only widen. Searching gets slower then, never wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

SMALL_STEP_US = 1_000_000
"""What producers that stamp side by side may differ by."""
RUNS_MAX = 1_000


class Run(NamedTuple):
    """A run of entries, from `seq` to the next run."""

    seq: int
    slack_us: int


class Clock:
    """The runs so far, and the highest time of the last one."""

    __slots__ = ("highest_us", "runs")

    def __init__(self, runs: Sequence[Run], last_us: int | None = None) -> None:
        self.runs = tuple(runs)
        self.highest_us = -(1 << 63)
        if last_us is not None:
            # The highest of the last run is not stored; this bound on it keeps every slack true.
            self.highest_us = last_us + self.runs[-1].slack_us


def step_back(fresh: Run, at_us: int, highest_us: int, runs: tuple[Run, ...]) -> tuple[int, tuple[Run, ...]]:
    """Take note of an entry older than `highest_us`, at which the run `fresh` would begin; return the highest
    time from there on, and the runs."""
    lag_us = highest_us - at_us
    last = runs[-1]
    if lag_us <= last.slack_us:
        return highest_us, runs
    if lag_us > SMALL_STEP_US and len(runs) < RUNS_MAX:
        return at_us, (*runs, fresh)
    return highest_us, (*runs[:-1], Run(last.seq, lag_us))


class Span(NamedTuple):
    """The entries with `after_seq < seq <= upto_seq`."""

    after_seq: int
    upto_seq: int


def narrow(
    runs: Sequence[Run], within: Span, bounds_us: tuple[int | None, int | None], time_of: Callable[[int], int]
) -> list[Span]:
    """The parts of a span, in order, that hold every entry within inclusive bounds of time.

    `time_of` tells the time of an entry; it is asked about numbers within the span only.
    """
    from_us, to_us = bounds_us
    spans: list[Span] = []
    for at, run in enumerate(runs):
        following = runs[at + 1].seq if at + 1 < len(runs) else within.upto_seq + 1
        first = max(run.seq, within.after_seq + 1)
        end = min(following, within.upto_seq + 1)
        if first < end and from_us is not None:
            first = _first_not_below(first, end, from_us - run.slack_us, time_of)
        if first < end and to_us is not None:
            end = _first_not_below(first, end, to_us + run.slack_us + 1, time_of)
        if first >= end:
            continue
        if spans and spans[-1].upto_seq == first - 1:
            spans[-1] = Span(spans[-1].after_seq, end - 1)
        else:
            spans.append(Span(first - 1, end - 1))
    return spans


def _first_not_below(first: int, end: int, at_us: int, time_of: Callable[[int], int]) -> int:
    while first < end:
        middle = (first + end) // 2
        if time_of(middle) < at_us:
            first = middle + 1
        else:
            end = middle
    return first
