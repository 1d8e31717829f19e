"""What writers notice while the journal cuts, or thins, a long past: p99 at five thousand per second."""

import shutil
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.arena import Arena
from bench.journals.filling import fill
from bench.load.form import Load
from bench.measure import Options, Row
from bench.servers.ours import clasp_router

SCENARIO = "retention"
ENTRIES = 1_000_000
RATE_PER_S = 5_000.0
WORKS = {
    "nothing to do": (),
    "cut to 1,000 entries": ("--retain", "1000"),
    "thinned to the last of each address": ("--rules", "/show/** last-only", "--thin-after", "0s"),
}
"""What a router is told to let go of the same journal, right when it has started."""


def run(options: Options) -> list[Row]:
    """Each router on a copy of its own; the load begins with its doors open and the work begun."""
    entries, seconds = (2_000, 0.1) if options.tiny else (ENTRIES, 2.0)
    p99s_us: dict[str, list[float]] = {name: [] for name in WORKS}
    with TemporaryDirectory() as folder:
        filled = Path(folder, "filled.db")
        fill(filled, params=0, before=entries, after=0)
        for _ in range(options.rounds):
            for name, flags in WORKS.items():
                p99s_us[name].append(_p99_us(options, filled, flags, seconds))
    alone_us = median(p99s_us["nothing to do"])
    return [
        Row(
            SCENARIO,
            name,
            median(taken_us),
            "us p99",
            median(taken_us) / alone_us if alone_us else None,
            note=f"of {entries:,} entries",
            regime="5,000/s",
        )
        for name, taken_us in p99s_us.items()
    ]


def _p99_us(options: Options, filled: Path, flags: tuple[str, ...], seconds: float) -> float:
    server = clasp_router("sqlite", *flags)
    shutil.copy(filled, server.folder / "bench.db")
    with Arena(options) as arena:
        door = arena.start(server)
        arena.generator.prepare(Load("clasp set", door.port, rate_per_s=RATE_PER_S, seconds=seconds))
        return arena.generator.go().p99_us
