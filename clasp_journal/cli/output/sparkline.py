"""A curve in one line of text.

Each mark is a slot of time and shows the value that held at its end; before the first value there is none.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from clasp_journal.cli.grammar.spans import format_span

MARKS = "▁▂▃▄▅▆▇█"
WIDTH = 60

Point = tuple[int, float]


def sparkline(points: Sequence[Point], width: int = WIDTH) -> str:
    """The curve of times and values, which are in order of time."""
    finite = [value for _, value in points if abs(value) != float("inf")]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    return "".join(_mark(value, low, high) for value in _sampled(points, width))


def caption(points: Sequence[Point]) -> str:
    """The curve, with its range and how long it took."""
    low, high = min(value for _, value in points), max(value for _, value in points)
    took_us = points[-1][0] - points[0][0]
    took = format_span(took_us // 1_000 * 1_000)
    told = f"  {low:g} to {high:g} in {took}"
    room = shutil.get_terminal_size().columns - len(told) - 3
    return sparkline(points, max(1, min(WIDTH, room))) + told


def _mark(value: float, low: float, high: float) -> str:
    if high == low:
        return MARKS[0]
    share = (min(max(value, low), high) - low) / (high - low)
    return MARKS[round(share * (len(MARKS) - 1))]


def _sampled(points: Sequence[Point], width: int) -> list[float]:
    """One value per slot of time; as many slots as points if those are fewer."""
    width = min(width, len(points))
    began_us, lasts_us = points[0][0], max(1, points[-1][0] - points[0][0])
    sampled, at = [], 0
    for slot in range(1, width + 1):
        end_us = began_us + lasts_us * slot // width
        while at + 1 < len(points) and points[at + 1][0] <= end_us:
            at += 1
        sampled.append(points[at][1])
    return sampled
