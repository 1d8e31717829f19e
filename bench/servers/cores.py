"""Which core does what. With two cores the journal's process shares one with the generator."""

import contextlib
import os
from collections.abc import Iterator

_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
SERVER_CORE = _CORES[0]
LOAD_CORE = _CORES[1 % len(_CORES)]
JOURNAL_CORE = _CORES[2 % len(_CORES)] if len(_CORES) > 2 else LOAD_CORE
READER_CORE = _CORES[3] if len(_CORES) > 3 else LOAD_CORE


def pin(pid: int, *cores: int) -> None:
    """Keep a process on some cores, with all its threads, where there is more than one and the system can."""
    if len(_CORES) < 2:
        return
    with contextlib.suppress(OSError, AttributeError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(thread), cores)


@contextlib.contextmanager
def pinned(*cores: int) -> Iterator[None]:
    """Meanwhile this thread, and what it starts, is on these cores."""
    if len(_CORES) < 2:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
