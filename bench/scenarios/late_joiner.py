"""A client that comes late and wants a hundred thousand params, and what the others notice of it."""

from statistics import median
from time import perf_counter

from bench.arena import Arena, Door
from bench.load.connection import Connection
from bench.load.form import Load
from bench.measure import Options, Row
from bench.speech.clasp import FENCE, VALUE, entering, framed
from router.wire.messages import Set

SCENARIO = "late_joiner"
PARAMS = 100_000
RATE_PER_S = 5_000.0


def run(options: Options) -> list[Row]:
    """A second of steady traffic, with nobody and with somebody joining at its beginning, in turns."""
    params, seconds = (200, 0.05) if options.tiny else (PARAMS, 1.0)
    with Arena(options) as arena:
        door = arena.routers("sqlite")[0]
        set_params(door, params)
        load = Load("clasp publish", door.port, door.host, rate_per_s=RATE_PER_S, seconds=seconds)
        joins_s, alone_us, meanwhile_us = [], [], []
        for _ in range(options.rounds):
            arena.generator.prepare(load)
            alone_us.append(arena.generator.go().p99_us)
            arena.generator.prepare(load)
            arena.generator.start()
            joins_s.append(join(door, params))
            meanwhile_us.append(arena.generator.finish().p99_us)
    others = median(meanwhile_us) / median(alone_us) if median(alone_us) else None
    what, regime = f"{params:,} params", load.regime
    return [
        Row(SCENARIO, f"{what}: all there", median(joins_s), "s", server=door.label),
        Row(SCENARIO, "others, nobody joins", median(alone_us), "us p99", server=door.label, regime=regime),
        Row(
            SCENARIO,
            "others, meanwhile",
            median(meanwhile_us),
            "us p99",
            others,
            "ratio to when nobody joins",
            server=door.label,
            regime=regime,
        ),
    ]


def set_params(door: Door, count: int) -> None:
    """One writer sets them all."""
    writer = Connection(door.port, door.host)
    for step in entering():
        writer.say(step)
        writer.hear(step)
    for first in range(0, count, 1_000):
        some = range(first, min(first + 1_000, count))
        writer.socket.sendall(b"".join(framed(Set(f"/late/{n // 100}/{n % 100}", VALUE)) for n in some))
        writer.say(FENCE)
        writer.hear(FENCE)
    writer.close()


def join(door: Door, params: int) -> float:
    """Connect, subscribe to everything, and take it; seconds."""
    begin = perf_counter()
    joiner = Connection(door.port, door.host)
    upgrade, wish = entering("/late/**")
    for step in (upgrade, wish):
        joiner.say(step)
        heard_bytes = joiner.hear(step)
    took_s = perf_counter() - begin
    joiner.close()
    if heard_bytes < params * len("/late/0/0"):
        raise RuntimeError(f"{heard_bytes} bytes are not {params} params")
    return took_s
