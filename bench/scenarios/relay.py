"""One writer to one reader, and fifty writers to one: our router, an idiomatic relay, and brokers.

SET is state, acknowledged; brokers have nothing like it. PUBLISH is an event, as everybody has it. What
recording adds to the router's own work is measured at a rate that the journal can keep up with.
"""

from dataclasses import replace

from bench.arena import Arena
from bench.contest import Case, contest
from bench.load.form import Load
from bench.measure import Options, Row

SCENARIO = "relay"
STEADY_PER_S = 40_000.0
MANY, MANY_WINDOW = 50, 200


def run(options: Options) -> list[Row]:
    """Every case, at every door that has the like of it."""
    seconds, many = (0.05, 3) if options.tiny else (0.3, MANY)
    sets, events = Load("clasp set", seconds=seconds), Load("clasp publish", seconds=seconds)
    steady = replace(sets, rate_per_s=STEADY_PER_S)
    with Arena(options) as arena:
        routers = arena.routers("none", "memory", "sqlite")
        own = [arena.relay(), *routers]
        everybody = [*own, *arena.peers()]
        contests = [
            (Case("SET+ACK 1-1", sets), own),
            (Case("PUBLISH 1-1", events), everybody),
            (Case("SET+ACK 50-1", replace(sets, writers=many, window=MANY_WINDOW)), own),
            (Case("PUBLISH 50-1", replace(events, writers=many, window=MANY_WINDOW)), everybody),
        ]
        if not options.url:
            contests.append((Case("SET, what recording costs", steady, "cpu_us"), routers))
        return [row for case, doors in contests for row in contest(arena, SCENARIO, case, doors)]
