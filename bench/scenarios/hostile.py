"""Fifty honest peers while others attack: what they notice of it, and what it costs in memory."""

import asyncio
import subprocess
import sys

from bench.arena import Arena, Door
from bench.hostile.honest import Outcome, converse
from bench.measure import Options, Row

SCENARIO = "hostile"
SECONDS = 10.0
TINY_SECONDS = 0.5
WARM_UP_S = 1.0
END_TIMEOUT_S = 30.0


def run(options: Options) -> list[Row]:
    """The same conversation without and with attackers."""
    seconds = TINY_SECONDS if options.tiny else SECONDS
    with Arena(options) as arena:
        [door] = arena.routers("sqlite")
        calm = asyncio.run(converse(door.port, seconds))
        before = door.server.rss_bytes if door.server else 0
        attackers = subprocess.Popen(
            [sys.executable, "-m", "bench.hostile", str(door.port), str(seconds + WARM_UP_S)],
            stdout=subprocess.PIPE,
            text=True,
        )
        attacked = asyncio.run(converse(door.port, seconds))
        told, _ = attackers.communicate(timeout=END_TIMEOUT_S)
        grown = door.server.peak_bytes - before if door.server else 0
    return [
        _row(door, "honest p99, nobody attacks", calm),
        _row(door, "honest p99, under attack", attacked),
        Row(SCENARIO, "memory under attack", grown / 1e6, "MB", note=told.strip(), server=door.label),
    ]


def _row(door: Door, name: str, outcome: Outcome) -> Row:
    told = f"p50 {outcome.p50_ms:.2f} ms; of {outcome.sent:,} events {outcome.lost} lost"
    note = f"{told}, {outcome.disordered} out of order"
    return Row(SCENARIO, name, outcome.p99_ms, "ms", note=note, server=door.label, regime="fixed rate")
