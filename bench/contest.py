"""Servers under the same load, in turns: one case, one row per door.

Laws: within a round every door has its turn, then the next round begins; a turn ends when the server has
nothing left to do. The value of a row is the median over the rounds, and ratios are to the first door. Where
the server was not busy all the time, but the generator was, or the core that it is on, the row says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from types import MappingProxyType
from typing import NamedTuple

from bench.arena import Arena, Door
from bench.load.form import PIPELINED, Load, Result
from bench.measure import Row
from bench.servers.cores import JOURNAL_CORE, LOAD_CORE
from bench.servers.server import Server

Measuring = Callable[[], float]
"""What is measured without a door."""

NOTHING: Mapping[str, Measuring] = MappingProxyType({})
BUSY = 0.9
"""Share of a core from which on somebody is the limit."""
IDLE = 0.6
"""Share of a core below which somebody waits: for a disk, or for a core that others use."""
RESTING = 0.2
"""Share of a core below which nothing is left to do; looked at for so long."""
LOOK_S = 0.01
SETTLE_TIMEOUT_S = 5.0
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
    own_share: float
    """What the server's own process took of a core, and its children while the clock ran."""
    children_share: float


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
    if door.server is None:
        result = arena.generator.go()
        return Sample(_value(case, result, 0.0), result, None, 0.0, 0.0, 0.0)
    server = door.server
    own_ns, children_ns = server.cpu_ns, server.children_cpu_ns
    result = arena.generator.go()
    spent_ns, children_spent_ns = server.cpu_ns - own_ns, server.children_cpu_ns - children_ns
    _settle(server)
    sent, wall_ns = max(1, result.sent), result.seconds * 1e9
    cpu_us = (server.cpu_ns - own_ns) / 1e3 / sent
    return Sample(
        _value(case, result, cpu_us),
        result,
        cpu_us,
        (server.children_cpu_ns - children_ns) / 1e3 / sent,
        spent_ns / wall_ns,
        children_spent_ns / wall_ns,
    )


def _settle(server: Server) -> None:
    """What a server still does, such as keeping what it has delivered, must not be in another one's way."""
    deadline = time.perf_counter() + SETTLE_TIMEOUT_S
    while time.perf_counter() < deadline:
        before_ns = server.cpu_ns + server.children_cpu_ns
        time.sleep(LOOK_S)
        if server.cpu_ns + server.children_cpu_ns - before_ns < RESTING * LOOK_S * 1e9:
            return


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
    remarks += limits(case, samples)
    wanted = case.load.rate_per_s * case.load.seconds
    if wanted and median(result.sent for result in results) < KEPT_UP * wanted:
        remarks.append("the rate was not reached")
    return remarks


def limits(case: Case, samples: list[Sample]) -> list[str]:
    """Who was the limit, if it was not the server's own process."""
    own = median(one.own_share for one in samples)
    children = median(one.children_share for one in samples)
    generator = median(one.result.cpu_share for one in samples)
    if max(own, children) >= BUSY:
        return []
    if generator > BUSY:
        return [f"the generator was the limit ({generator:.0%} of its core)"]
    if JOURNAL_CORE == LOAD_CORE and generator + children > BUSY:
        return [f"the generator's core was the limit: {children:.0%} for the journal, {generator:.0%} for it"]
    if case.load.regime == PIPELINED and own and max(own, children, generator) < IDLE:
        return [f"nobody was busy: the server had {own:.0%} of its core"]
    return []
