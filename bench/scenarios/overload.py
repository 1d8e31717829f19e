"""What more than anybody can take costs in memory: a reader that never reads, writers that never wait."""

import socket
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


STUCK_KERNEL_BYTES = 64 * 1024
"""What the kernel takes for the reader that is stuck: the rest has to wait in the server."""


def run(options: Options) -> list[Row]:
    """How much a server's memory rises above what the same load took before."""
    seconds = 0.05 if options.tiny else 1.0
    with Arena(options) as arena:
        routers = arena.routers("none", "sqlite")
        others = [arena.relay(), *arena.quick_peers()]
        # With ACKs the journal is never far behind; its backlog is not what the reader costs.
        load = Load("clasp publish, fsync", seconds=3 * seconds)
        rows = [stuck_reader(arena, door, load) for door in routers if door.server]
        load = replace(load, speech="clasp publish")
        rows += [stuck_reader(arena, door, load) for door in others]
        rows += [hasty_writer(arena, door, seconds) for door in routers if door.server]
    return rows


def stuck_reader(arena: Arena, door: Door, load: Load) -> Row:
    """Somebody subscribes and then reads nothing, while another reader gets everything."""
    assert door.server is not None
    case = Case("a reader that never reads", load)
    door.server.forget_peak()
    sample(arena, case, door)
    before = door.server.peak_bytes
    door.server.forget_peak()
    stuck = Connection(door.port, door.host)
    stuck.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STUCK_KERNEL_BYTES)
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
