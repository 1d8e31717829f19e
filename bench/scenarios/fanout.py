"""One writer to 10, 100 and 500 readers: many messages per read, one per tick, and readers in two groups.

With two groups messages go to one half of the readers and to the other in turns, so that no two messages in a
row have the same readers.
"""

from collections.abc import Iterator
from dataclasses import replace

from bench.arena import Arena
from bench.contest import Case, contest
from bench.load.form import Load
from bench.measure import Options, Row

SCENARIO = "fanout"
CROWDS = (10, 100, 500)
ALTERNATING = 100
DELIVERIES_ON_THE_WAY = 500_000
ROUNDS_MAX = 3


def cases(*, tiny: bool) -> Iterator[Case]:
    """Every crowd in both regimes, then groups in turns."""
    seconds = 0.05 if tiny else 0.2
    for readers in (4,) if tiny else CROWDS:
        window = min(4_000, DELIVERIES_ON_THE_WAY // readers)
        many = Load("clasp publish", readers=readers, window=window, seconds=seconds)
        yield Case(f"PUBLISH 1-{readers}", many, "delivered")
        yield Case(f"PUBLISH 1-{readers}", replace(many, window=1), "delivered")
    readers = 4 if tiny else ALTERNATING
    window = min(4_000, DELIVERIES_ON_THE_WAY // readers)
    groups = Load("clasp publish", readers=readers, groups=2, window=window, seconds=seconds)
    yield Case(f"PUBLISH 1-{readers}, two groups in turns", groups, "delivered")
    yield Case(f"PUBLISH 1-{readers}, two groups in turns", replace(groups, window=1), "delivered")


def run(options: Options) -> list[Row]:
    """Every case at every door."""
    options = replace(options, rounds=min(options.rounds, ROUNDS_MAX))
    with Arena(options) as arena:
        doors = [arena.relay(), *arena.routers("none", "sqlite"), *arena.quick_peers()]
        return [row for case in cases(tiny=options.tiny) for row in contest(arena, SCENARIO, case, doors)]
