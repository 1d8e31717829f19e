"""How long a message takes from writer to reader, at five and at fifty thousand per second."""

from bench.arena import Arena
from bench.contest import Case, contest
from bench.load.form import Load
from bench.measure import Options, Row

SCENARIO = "latency"
RATES_PER_S = (5_000.0, 50_000.0)


def run(options: Options) -> list[Row]:
    """PUBLISH at every door, SET at those that have it."""
    rows: list[Row] = []
    seconds = 0.05 if options.tiny else 0.3
    with Arena(options) as arena:
        own = [arena.relay(), *arena.routers("none", "sqlite")]
        everybody = [*own, *arena.quick_peers()]
        for rate_per_s in RATES_PER_S:
            for what, doors in (("publish", everybody), ("set", own)):
                load = Load(f"clasp {what}", rate_per_s=rate_per_s, seconds=seconds)
                rows += contest(arena, SCENARIO, Case(f"{what.upper()} 1-1", load, "p50_us"), doors)
    return rows
