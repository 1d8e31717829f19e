"""Our router with each kind of journal, and the relay that anyone would write first."""

import sys

from bench.servers.cores import JOURNAL_CORE, SERVER_CORE
from bench.servers.server import Server
from router.wire import packing

IS_COMPILED = not packing.__file__.endswith(".py")
JOURNALS = {"sqlite": "sqlite:bench.db", "memory": "memory:", "none": "none"}


def idiomatic_relay() -> Server:
    """`websockets`, used as its documentation does."""
    command = [sys.executable, "-m", "bench.servers.idiomatic"]
    return Server("websockets relay", lambda folder, ports: command, announces=True)


def clasp_router(journal: str, *flags: str) -> Server:
    """Our router, with a journal of this kind."""
    command = [
        sys.executable,
        "-m",
        "router",
        "--listen",
        "127.0.0.1:0",
        "--journal",
        JOURNALS[journal],
        *flags,
    ]
    cores = (SERVER_CORE, JOURNAL_CORE) if journal == "sqlite" else (SERVER_CORE,)
    return Server(f"clasp, journal {journal}", lambda folder, ports: command, announces=True, cores=cores)
