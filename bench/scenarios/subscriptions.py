"""A hundred, ten thousand and a hundred thousand subscriptions, beside one reader of everything.

Addresses are drawn by Zipf's law from ten thousand. The patterns are exact, with a wildcard in the middle, or
for a subtree; they are about the same places, but other attributes, so that there is one delivery per message
however many subscriptions there are, and what is measured is finding that out. The first round only warms up.
"""

from contextlib import ExitStack
from dataclasses import replace

from bench.arena import Arena, Door
from bench.contest import Case, contest, sample
from bench.load.connection import Connection, enter_all
from bench.load.form import Load
from bench.measure import Options, Row
from bench.servers.ours import clasp_router
from bench.speech.clasp import entering, zipf_address

SCENARIO = "subscriptions"
COUNTS = (100, 10_000, 100_000)
PER_SESSION = 1_000
KINDS = 20


def pattern(number: int) -> str:
    """Of twenty subscriptions twelve are exact, five have a wildcard, three want a subtree."""
    place, kind = number // KINDS, number % KINDS
    if kind < 12:
        return zipf_address(place, f"pan{kind}")
    area, fixture = divmod(place, 100)
    if kind < 17:
        return f"/zipf/{area:04}/*/tilt{fixture}-{kind}"
    return f"/zipf/{area:04}/{fixture:02}/more{kind}/**"


def run(options: Options) -> list[Row]:
    """Every number of subscriptions has a router of its own; all take turns."""
    load = Load("clasp publish, zipf", seconds=0.05 if options.tiny else 0.5)
    case = Case("PUBLISH 1-1, Zipf addresses", load)
    with Arena(options) as arena, ExitStack() as stack:
        doors = [_crowded(arena, stack, count) for count in ((5, 50) if options.tiny else COUNTS)]
        for door in doors:
            sample(arena, case, door)
        return contest(arena, SCENARIO, case, doors)


def _crowded(arena: Arena, stack: ExitStack, count: int) -> Door:
    """A router with so many subscriptions, in sessions that stay."""
    door = arena.start(clasp_router("none"))
    for first in range(0, count, PER_SESSION):
        subscriber = Connection(door.port)
        stack.callback(subscriber.close)
        wishes = map(pattern, range(first, min(first + PER_SESSION, count)))
        enter_all([subscriber], [entering(*wishes)])
    return replace(door, label=f"{door.label}, {count:,} subscriptions")
