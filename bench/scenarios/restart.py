"""From the start of the process to open doors: a long journal and many params, after `kill -9`."""

from statistics import median

from bench.arena import Arena
from bench.journals.filling import fill
from bench.measure import Options, Row
from bench.servers.ours import clasp_router

SCENARIO = "restart"
PARAMS = 100_000
TAIL_MAX = 500_000


def run(options: Options) -> list[Row]:
    """A million entries; ten, when large."""
    sizes = (2_000,) if options.tiny else (1_000_000, 10_000_000) if options.large else (1_000_000,)
    return [measure(options, entries) for entries in sizes]


def measure(options: Options, entries: int) -> Row:
    """Start and kill the same router again and again: what it would do on a proper end never happens."""
    params, tail = (100, 500) if options.tiny else (PARAMS, min(TAIL_MAX, entries // 2))
    server = clasp_router("sqlite")
    fill(server.folder / "bench.db", params=params, before=entries - params - tail, after=tail)
    with Arena(options) as arena:
        arena.start(server)
        taken_s = [server.started_in_s]
        for _ in range(options.rounds - 1):
            server.kill()
            server.stop()
            server.start()
            taken_s.append(server.started_in_s)
        return Row(
            SCENARIO,
            f"{params:,} params, {entries:,} entries",
            median(taken_s),
            "s",
            note=f"{tail:,} entries after the last snapshot",
            server=server.name,
            rss_bytes=server.rss_bytes,
        )
