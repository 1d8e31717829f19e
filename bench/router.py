"""The router under load, with each kind of journal, beside the relay that anyone would write first.

Law: servers take turns, each on the same core, the generator on another. *Pipelined*: many messages per read;
*one per tick*: a message goes out when the one before has come back, so that every delivery is a write of its
own. Ratios are to the relay in the same run; processor time is that of the server's process alone.
"""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import median
from typing import NamedTuple

from bench.load import Generator, Load, Result
from bench.measure import Options, Row
from bench.servers import Server, clasp_router, relay

SCENARIO = "router"
MANY = 100
STEADY_PER_S = 5_000.0
HALF_LOAD_PER_S = 40_000.0


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of load, and what is counted."""

    name: str
    load: Load
    counts: str = "sent"
    """`sent` messages, `delivered` messages, or microseconds of latency (`p50_us`)."""


def cases(*, tiny: bool) -> list[Case]:
    """What is measured; tiny, everything is only tried."""
    many, seconds = (3, 0.05) if tiny else (MANY, 1.0)
    set_one = Load(0, "set", seconds=seconds)
    publish = Load(0, "publish", seconds=seconds)
    return [
        Case("SET+ACK 1-1, pipelined", set_one),
        Case("PUBLISH 1-1, pipelined", publish),
        Case(f"PUBLISH 1-{many}, pipelined", _with(publish, readers=many), "delivered"),
        Case(f"PUBLISH 1-{many}, one per tick", _with(publish, readers=many, window=1), "delivered"),
        Case("SET+ACK 50-1, pipelined", _with(set_one, writers=3 if tiny else 50, window=200)),
        Case("SET latency at 5 k/s", _with(set_one, rate_per_s=STEADY_PER_S), "p50_us"),
    ]


class Sample(NamedTuple):
    """One round of one server."""

    value: float
    cpu_us: float
    p99_us: float
    generator_share: float


def run(options: Options) -> list[Row]:
    """Measure every case on every server, in turns."""
    rows = []
    with ExitStack() as stack:
        servers = [
            stack.enter_context(server)
            for server in (relay(), *(clasp_router(journal) for journal in ("none", "memory", "sqlite")))
        ]
        for case in cases(tiny=options.tiny):
            rows += _measure(case, servers, options)
        rows += _journal_cost(servers, options)
    return rows


def _measure(case: Case, servers: list[Server], options: Options) -> list[Row]:
    samples: dict[str, list[Sample]] = {server.name: [] for server in servers}
    for _ in range(options.rounds):
        for server in servers:
            samples[server.name].append(_sample(case, server))
    baseline = median(sample.value for sample in samples[servers[0].name])
    rows = []
    for server in servers:
        taken = samples[server.name]
        value = median(sample.value for sample in taken)
        unit = "us p50" if case.counts == "p50_us" else f"{case.counts}/s"
        rows.append(
            Row(SCENARIO, f"{case.name}, {server.name}", value, unit, value / baseline, _note(taken, server))
        )
    return rows


def _sample(case: Case, server: Server) -> Sample:
    generator = Generator(_with(case.load, port=server.port))
    cpu_ns = server.cpu_ns
    result = generator.go()
    cpu_us = (server.cpu_ns - cpu_ns) / 1_000 / max(1, result.sent)
    return Sample(_value(case, result), cpu_us, result.p99_us, result.cpu_share)


def _value(case: Case, result: Result) -> float:
    if case.counts == "p50_us":
        return result.p50_us
    count = result.delivered if case.counts == "delivered" else result.sent
    return count / result.seconds


def _note(samples: list[Sample], server: Server) -> str:
    parts = [f"{median(s.cpu_us for s in samples):.2f} us CPU/msg", f"{server.rss_bytes >> 20} MiB"]
    if samples[0].p99_us:
        parts.append(f"p99 {median(s.p99_us for s in samples):.0f} us")
    if median(s.generator_share for s in samples) > 0.9:
        parts.append("the generator was the limit")
    return ", ".join(parts)


def _journal_cost(servers: list[Server], options: Options) -> list[Row]:
    """What recording adds to the router's own work, at a rate that the journal can keep up with."""
    load = Load(0, "set", rate_per_s=HALF_LOAD_PER_S, seconds=0.05 if options.tiny else 1.0)
    case = Case("SET at 40 k/s, router CPU", load)
    cpu_us: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for server in servers[1:]:
            cpu_us.setdefault(server.name, []).append(_sample(case, server).cpu_us)
    baseline = median(cpu_us[servers[1].name])
    return [
        Row(
            SCENARIO,
            f"{case.name}, {name}",
            median(taken),
            "us/msg",
            median(taken) / baseline,
            "to journal none",
        )
        for name, taken in cpu_us.items()
    ]


def _with(load: Load, **changes: object) -> Load:
    return replace(load, **changes)  # type: ignore[arg-type]
