"""Servers under load have the cores that the page tells of."""

import os
from pathlib import Path

import pytest

from bench.servers.cores import JOURNAL_CORE, LOAD_CORE, SERVER_CORE
from bench.servers.ours import clasp_router


@pytest.mark.skipif(SERVER_CORE == LOAD_CORE, reason="the machine has one core")
def test_the_journal_computes_on_its_core_alone():
    """With every thread: its database works on threads of its own, which else take from the router's core."""
    with clasp_router("sqlite") as router:
        assert cores_of(router.pid) == {SERVER_CORE}
        assert [cores_of(child) for child in router.children()] == [{JOURNAL_CORE}]


def cores_of(pid):
    """Where any thread of a process may run."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return set().union(*(os.sched_getaffinity(int(thread.name)) for thread in threads))
