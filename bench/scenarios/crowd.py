"""A thousand clients that connect and subscribe at once, and the memory that each takes while it is idle."""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter

from bench.arena import Arena, Door
from bench.load.connection import Connection, enter_all
from bench.measure import Options, Row
from bench.speech import speech

SCENARIO = "crowd"
CLIENTS = 1_000
ROUNDS_MAX = 3


def run(options: Options) -> list[Row]:
    """The storm, in turns; memory is that of the first storm, before anything could be used again."""
    clients = 5 if options.tiny else CLIENTS
    seconds: dict[str, list[float]] = {}
    idle_bytes: dict[str, float] = {}
    with Arena(options) as arena:
        doors = [*arena.routers("none", "sqlite"), arena.relay(), *arena.quick_peers()]
        for _ in range(min(options.rounds, ROUNDS_MAX)):
            for door in doors:
                before = door.server.rss_bytes if door.server else 0
                with storm(door, clients) as took_s:
                    seconds.setdefault(door.label, []).append(took_s)
                    # A second door of the same server finds memory that the first one left.
                    if door.server and door.server.name not in idle_bytes:
                        idle_bytes[door.server.name] = (door.server.rss_bytes - before) / clients
    return [
        Row(SCENARIO, f"{clients:,} clients connect and subscribe", median(taken), "s", server=label)
        for label, taken in seconds.items()
    ] + [
        Row(SCENARIO, "memory of an idle connection", taken / 1e3, "KB", server=label)
        for label, taken in idle_bytes.items()
    ]


@contextmanager
def storm(door: Door, clients: int) -> Iterator[float]:
    """Everybody comes at once; gives the seconds until the last one is in, and lets them go afterwards."""
    ways = [speech(door.speech or "clasp publish").reader_enters(number, 0) for number in range(clients)]
    begin = perf_counter()
    connections: list[Connection] = []
    try:
        for _ in ways:
            connections.append(Connection(door.port, door.host))
        enter_all(connections, ways)
        yield perf_counter() - begin
    finally:
        for connection in connections:
            connection.close()
