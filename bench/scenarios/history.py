"""Asking a live router for its past while it is busy: what an answer takes, and what the others notice."""

import asyncio
from statistics import median
from time import perf_counter

from bench.arena import Arena
from bench.journals.filling import fill
from bench.journals.scene import PATTERNS
from bench.load.form import Load
from bench.measure import Options, Row
from bench.servers.cores import JOURNAL_CORE, LOAD_CORE
from bench.servers.ours import clasp_router
from router.client import Client, connect

SCENARIO = "history"
ENTRIES = 1_000_000
LARGE_ENTRIES = 10_000_000
HALF_LOAD_PER_S = 40_000.0
ASKED = ("exact", "prefix", "middle wildcard, 2,000 addresses")
LATEST = 100
ASKED_EVERY_S = 0.025
"""A router that answers sooner is not asked more often for it."""


def run(options: Options) -> list[Row]:
    """A second of SETs at half load alone, then one with queries all the time, in turns."""
    entries = 2_000 if options.tiny else LARGE_ENTRIES if options.large else ENTRIES
    server = clasp_router("sqlite")
    fill(server.folder / "bench.db", params=0, before=entries, after=0)
    with Arena(options) as arena:
        door = arena.start(server)
        seconds = 0.1 if options.tiny else 1.0
        load = Load("clasp set", door.port, rate_per_s=HALF_LOAD_PER_S, seconds=seconds)
        alone_us, meanwhile_us = [], []
        answers_ms: dict[str, list[float]] = {name: [] for name in ASKED}
        for _ in range(options.rounds):
            arena.generator.prepare(load)
            alone_us.append(arena.generator.go().p99_us)
            arena.generator.prepare(load)
            arena.generator.start()
            asyncio.run(ask(door.port, seconds, answers_ms))
            meanwhile_us.append(arena.generator.finish().p99_us)
    rows = [
        Row(
            SCENARIO,
            f"latest {LATEST}: {name}",
            median(taken),
            "ms",
            note=f"of {entries:,} entries; asked {len(taken)} times",
            server=door.label,
            regime=load.regime,
        )
        for name, taken in answers_ms.items()
    ]
    shared = "who asks and the journal share the generator's core" if JOURNAL_CORE == LOAD_CORE else ""
    for name, value, note in (
        ("others, nobody asks", alone_us, ""),
        ("others, meanwhile", meanwhile_us, shared),
    ):
        ratio = median(value) / median(alone_us) if median(alone_us) else None
        rows.append(
            Row(SCENARIO, name, median(value), "us p99", ratio, note, server=door.label, regime=load.regime)
        )
    return rows


async def ask(port: int, seconds: float, answers_ms: dict[str, list[float]]) -> None:
    """Each query in turn, the next when its time has come or the last is answered, until the time is over."""
    async with connect(f"ws://127.0.0.1:{port}") as client:
        end = perf_counter() + seconds
        while True:
            for name in ASKED:
                taken_ms = await _answer_ms(client, PATTERNS[name])
                answers_ms[name].append(taken_ms)
                await asyncio.sleep(ASKED_EVERY_S - taken_ms / 1e3)
            if perf_counter() > end:
                return


async def _answer_ms(client: Client, pattern: str) -> float:
    begin = perf_counter()
    async for _ in client.replay(pattern, limit=LATEST, newest=True):
        pass
    return (perf_counter() - begin) * 1e3
