"""Servers under the same load, in turns: one case, one row per door.

Laws: within a round every door has its turn, then the next round begins. The value of a row is the median
over the rounds, and ratios are to the first door. Where the generator and not the server was busy all the
time, the row says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from types import MappingProxyType
from typing import NamedTuple

from bench.arena import Arena, Door
from bench.load.form import PIPELINED, Load, Result
from bench.measure import Row

Measuring = Callable[[], float]
"""What is measured without a door."""

NOTHING: Mapping[str, Measuring] = MappingProxyType({})
BUSY = 0.9
"""Share of a core from which on somebody is the limit."""
IDLE = 0.6
"""Share of a core below which somebody waits: for a disk, or for a core that others use."""
KEPT_UP = 0.98
"""Share of a wanted rate that has to be reached."""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of load, and what is counted."""

    name: str
    load: Load
    counts: str = "sent"
    """`sent`, `delivered` or `acknowledged` per second, microseconds `p50_us`, or `cpu_us` per message."""
    note: str = ""


class Sample(NamedTuple):
    """One round of one door."""

    value: float
    result: Result
    cpu_us: float | None
    children_cpu_us: float
    server_share: float
    """Of a core; the busier one, if the server has its journal in a process of its own."""


def contest(
    arena: Arena, scenario: str, case: Case, doors: Sequence[Door], beside: Mapping[str, Measuring] = NOTHING
) -> list[Row]:
    """Measure one case at every door, in turns; and what is `beside`, in the same unit."""
    samples: dict[str, list[Sample]] = {door.label: [] for door in doors}
    others: dict[str, list[float]] = {name: [] for name in beside}
    for _ in range(arena.options.rounds):
        for door in doors:
            samples[door.label].append(sample(arena, case, door))
        for name, measure in beside.items():
            others[name].append(measure())
    baseline = median(one.value for one in samples[doors[0].label])
    rows = [_row(scenario, case, door, samples[door.label], baseline) for door in doors]
    for name, taken in others.items():
        value = median(taken)
        ratio = value / baseline if baseline else None
        rows.append(Row(scenario, case.name, value, rows[0].unit, ratio, server=name))
    return rows


def sample(arena: Arena, case: Case, door: Door) -> Sample:
    """One round of one door."""
    load = replace(case.load, port=door.port, host=door.host, speech=door.speech or case.load.speech)
    arena.generator.prepare(load)
    server = door.server
    before = (server.cpu_ns, server.children_cpu_ns) if server else (0, 0)
    result = arena.generator.go()
    after = (server.cpu_ns, server.children_cpu_ns) if server else (0, 0)
    own_us, children_us = ((end - begin) / 1e3 for begin, end in zip(before, after, strict=True))
    sent = max(1, result.sent)
    value = _value(case, result, own_us / sent)
    share = max(own_us, children_us) / 1e6 / result.seconds
    return Sample(value, result, own_us / sent if server else None, children_us / sent, share)


def _value(case: Case, result: Result, cpu_us: float) -> float:
    if case.counts == "p50_us":
        return result.p50_us
    if case.counts == "cpu_us":
        return cpu_us
    count: int = getattr(result, case.counts)
    return count / result.seconds


def _row(scenario: str, case: Case, door: Door, samples: list[Sample], baseline: float) -> Row:
    value = median(one.value for one in samples)
    cpu_us = [one.cpu_us for one in samples if one.cpu_us is not None]
    return Row(
        scenario,
        case.name,
        value,
        {"p50_us": "us p50", "cpu_us": "us CPU/msg"}.get(case.counts, f"{case.counts}/s"),
        value / baseline if baseline else None,
        ", ".join(_remarks(case, samples)),
        server=door.label,
        regime=case.load.regime,
        cpu_us=median(cpu_us) if cpu_us else None,
        rss_bytes=door.server.rss_bytes if door.server else None,
    )


def _remarks(case: Case, samples: list[Sample]) -> list[str]:
    remarks = [case.note] if case.note else []
    results = [one.result for one in samples]
    if p99_us := median(result.p99_us for result in results):
        remarks.append(f"p99 {p99_us:,.0f} us")
    if (children_us := median(one.children_cpu_us for one in samples)) > 0.01:
        remarks.append(f"journal's process {children_us:.2f} us CPU/msg")
    if missing := sum(result.missing for result in results):
        remarks.append(f"{missing:,} messages never came")
    share = median(result.cpu_share for result in results)
    server_share = median(one.server_share for one in samples)
    if share > BUSY and server_share < BUSY:
        remarks.append(f"the generator was the limit ({share:.0%} of its core)")
    if case.load.regime == PIPELINED and server_share and max(share, server_share) < IDLE:
        remarks.append(f"nobody was busy: the server had {server_share:.0%} of its core")
    wanted = case.load.rate_per_s * case.load.seconds
    if wanted and median(result.sent for result in results) < KEPT_UP * wanted:
        remarks.append("the rate was not reached")
    return remarks
