"""Which core does what. With two cores the journal's process shares one with the generator."""

import contextlib
import os

_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
SERVER_CORE = _CORES[0]
LOAD_CORE = _CORES[1 % len(_CORES)]
JOURNAL_CORE = _CORES[2 % len(_CORES)] if len(_CORES) > 2 else LOAD_CORE
READER_CORE = _CORES[3] if len(_CORES) > 3 else LOAD_CORE


def pin(pid: int, *cores: int) -> None:
    """Keep a process on some cores, where there is more than one and the system can."""
    if len(_CORES) > 1:
        with contextlib.suppress(OSError, AttributeError):
            os.sched_setaffinity(pid, cores)
