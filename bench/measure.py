"""The measuring core: rounds taken in turns, medians, and rows of one table.

Law: what is compared is measured in turns (A B A B …), so that a machine that slows down slows both. A value
is the median over the rounds; the garbage collector rests while the clock runs.
"""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter_ns

ROUND_NS_MIN = 20_000_000

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Options:
    """How long to measure, and beside whom."""

    rounds: int = 3
    large: bool = False
    """The large, slow variants, too."""
    tiny: bool = False
    """Everything as small as it can be: the figures mean nothing, but all of it runs."""
    mirror: bool = False
    """Of the journal's rows, only those about its mirror."""
    peers: bool = False
    """Beside what people would pick instead, as far as it is installed."""
    url: str | None = None
    """A CLASP router that is measured in place of ours."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, of whom, and how it compares with the scenario's baseline."""

    scenario: str
    name: str
    value: float
    unit: str
    ratio: float | None = None
    note: str = ""
    server: str = ""
    regime: str = ""
    cpu_us: float | None = None
    """Processor time of the server's own process, per message that was sent."""
    rss_bytes: int | None = None
    """Resident memory of the server's own process."""
    verdict: str = ""
    """How it stands to its target, if it has one."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What no other row of a run has."""
        return self.scenario, self.name, self.regime, self.server


def compare(scenario: str, works: Mapping[str, Work], options: Options, *, operations: int = 1) -> list[Row]:
    """Measure works that do the same `operations` per call; the first one is the baseline of the ratios."""
    medians = interleaved(works, options.rounds)
    per_operation = {name: call_ns / operations for name, call_ns in medians.items()}
    baseline = next(iter(per_operation.values()))
    return [
        Row(scenario, name, value, "ns/op", ratio=value / baseline) for name, value in per_operation.items()
    ]


def interleaved(works: Mapping[str, Work], rounds: int) -> dict[str, float]:
    """Time every work once per round, in turns, and return the median nanoseconds of one call."""
    calls = {name: calls_per_round(work) for name, work in works.items()}
    samples: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            samples[name].append(elapsed_ns(work, calls[name]) / calls[name])
    return {name: median(taken) for name, taken in samples.items()}


def calls_per_round(work: Work) -> int:
    """How many calls fill a round; finding out also warms the work up."""
    calls = 1
    while elapsed_ns(work, calls) < ROUND_NS_MIN:
        calls *= 2
    return calls


def elapsed_ns(work: Work, calls: int) -> int:
    """Nanoseconds for a number of calls in a row."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        start = perf_counter_ns()
        for _ in range(calls):
            work()
        return perf_counter_ns() - start
    finally:
        if collecting:
            gc.enable()
