"""The command line tool: how soon it answers, and what reading beside a running router costs that router.

Laws: the tool is measured as it is installed, with its bytecode; a row that came is timed, what the process
does afterwards is not. The router is measured alone and beside readers in turns.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.arena import Arena, Door
from bench.contest import Case, Sample, sample
from bench.journals.filling import fill
from bench.journals.readers import HAVE_A_CORE, Readers
from bench.load.form import Load
from bench.measure import Options, Row
from bench.servers.ours import clasp_router

SCENARIO = "cli"
ROOT = Path(__file__).parents[2]
STEADY_PER_S = 5_000.0
HELP, NEWEST, ALL = "--help", "query '/show/**' | head -1", "query -n all | head -1"
ALONE, BESIDE = "alone", "beside query, state and tail"


def run(options: Options) -> list[Row]:
    """How soon it answers; then the router, alone and beside readers."""
    return [*answering(options), *beside_readers(options)]


def answering(options: Options) -> list[Row]:
    """From the start of the process to the first line that it writes."""
    count = 4_000 if options.tiny else 10_000_000 if options.large else 1_000_000
    with tempfile.TemporaryDirectory(prefix="cli-bench-") as folder:
        path = Path(folder) / "show.db"
        fill(path, params=0, before=count, after=0)
        tool = [sys.executable, "-m", "clasp_journal"]
        query = [*tool, "query", "--db", str(path), "-q"]
        commands = {
            "python that prints a line": [sys.executable, "-c", "print()"],
            HELP: [*tool, "--help"],
            f"{NEWEST}, of {count:,} entries": [*query, "/show/**"],
            f"{ALL}, of {count:,} entries": [*query, "-n", "all"],
        }
        return [
            Row(SCENARIO, name, taken_s * 1e3, "ms to the first line")
            for name, taken_s in first_lines(commands, Path(folder), options.rounds).items()
        ]


def first_lines(commands: dict[str, list[str]], folder: Path, rounds: int) -> dict[str, float]:
    """The median seconds to each command's first line, taken in turns; the first time round warms up."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            taken[name].append(first_line(command, environment))
    return {name: median(seconds[1:]) for name, seconds in taken.items()}


def first_line(command: Sequence[str], environment: dict[str, str]) -> float:
    """The seconds until a command has written a line, of which nobody then reads more."""
    began = perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        taken = perf_counter() - began
        process.stdout.close()
    if not line:
        raise RuntimeError(f"{' '.join(command)} wrote nothing: exit code {process.returncode}")
    return taken


def beside_readers(options: Options) -> list[Row]:
    """SET and ACK as fast as they go, and their latency at a steady rate."""
    fast = Load("clasp set", seconds=0.05 if options.tiny else 1.0)
    steady = replace(fast, rate_per_s=STEADY_PER_S)
    with Arena(options) as arena:
        door = arena.start(clasp_router("sqlite"))
        return [
            *compared(in_turns(arena, Case("SET+ACK 1-1", fast, "acknowledged"), door), fast),
            *compared(in_turns(arena, Case("SET+ACK 1-1", steady, "p50_us"), door), steady),
        ]


def compared(taken: dict[str, list[Sample]], load: Load) -> list[Row]:
    """How many were acknowledged, or at a steady rate how late the late ones were; ratios are to `ALONE`."""
    is_steady = bool(load.rate_per_s)
    values = {
        whose: median(one.result.p99_us if is_steady else one.value for one in samples)
        for whose, samples in taken.items()
    }
    return [
        Row(
            SCENARIO,
            "SET+ACK 1-1",
            value,
            "us p99" if is_steady else "ACKs/s",
            value / values[ALONE],
            "" if whose == ALONE or HAVE_A_CORE else "too few cores: the readers yield to the load",
            server=whose,
            regime=load.regime,
            cpu_us=median(one.cpu_us or 0.0 for one in taken[whose]),
        )
        for whose, value in values.items()
    ]


def in_turns(arena: Arena, case: Case, door: Door) -> dict[str, list[Sample]]:
    """Rounds of one case, every second one beside readers."""
    assert door.server is not None
    taken: dict[str, list[Sample]] = {ALONE: [], BESIDE: []}
    for _ in range(arena.options.rounds):
        for whose, samples in taken.items():
            with ExitStack() as stack:
                if whose == BESIDE:
                    stack.enter_context(Readers(door.server.folder / "bench.db"))
                samples.append(sample(arena, case, door))
    return taken
