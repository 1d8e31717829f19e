"""What more than anybody can take costs in memory: a reader that never reads, writers that never wait."""

from dataclasses import replace

from bench.arena import Arena, Door
from bench.contest import Case, sample
from bench.load.connection import Connection, enter_all
from bench.load.form import Load
from bench.measure import Options, Row
from bench.speech import speech

SCENARIO = "overload"
UNBOUNDED = 100_000_000
"""A window that is never full."""


def run(options: Options) -> list[Row]:
    """How much a server's memory rises above what the same load took before."""
    seconds = 0.05 if options.tiny else 1.0
    with Arena(options) as arena:
        routers = arena.routers("none", "sqlite")
        doors = [*routers, arena.relay(), *arena.quick_peers()]
        rows = [stuck_reader(arena, door, seconds) for door in doors if door.server]
        rows += [hasty_writer(arena, door, seconds) for door in routers if door.server]
    return rows


def stuck_reader(arena: Arena, door: Door, seconds: float) -> Row:
    """Somebody subscribes and then reads nothing, while another reader gets everything."""
    assert door.server is not None
    case = Case("a reader that never reads", Load("clasp publish", seconds=seconds))
    sample(arena, case, door)
    before = door.server.rss_bytes
    door.server.forget_peak()
    stuck = Connection(door.port, door.host)
    enter_all([stuck], [speech(door.speech or case.load.speech).reader_enters(99, 0)])
    taken = sample(arena, case, door).result
    stuck.close()
    return Row(
        SCENARIO,
        case.name,
        max(0, door.server.peak_bytes - before) / 1e6,
        "MB",
        note=f"{taken.sent:,} messages",
        server=door.label,
        regime=case.load.regime,
    )


def hasty_writer(arena: Arena, door: Door, seconds: float) -> Row:
    """Somebody sends SETs as fast as the socket takes them."""
    assert door.server is not None
    case = Case("a writer that never waits", Load("clasp set", readers=0, seconds=seconds))
    sample(arena, case, door)
    before = door.server.rss_bytes
    door.server.forget_peak()
    taken = sample(
        arena, replace(case, load=replace(case.load, window=UNBOUNDED, horizon_s=0.0)), door
    ).result
    return Row(
        SCENARIO,
        case.name,
        max(0, door.server.peak_bytes - before) / 1e6,
        "MB",
        note=f"{taken.sent:,} SETs, the last ACK {taken.drain_s:.2g} s after the last SET",
        server=door.label,
        regime=case.load.regime,
    )
