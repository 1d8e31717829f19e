"""Who has left a router is gone at once: nothing of it waits for a collection of garbage.

A router that has restored much is seldom looked through for garbage, so what ended in cycles of references
would pile up for a long time. Here nothing is collected while connections of every kind come and go.
"""

import asyncio
import contextlib
import gc
from collections import Counter

import pytest

from clasp_journal.memory import MemoryJournal
from router import Address, Router, RouterConfig
from router.core.session import Session
from router.runtime.link import Link
from router.runtime.outbox import Outbox
from router.transports.connection import Connection
from router.transports.listening import Handshake
from router.transports.splitter import Splitter
from tests.certificates import Authority
from tests.e2e.peer import Peer
from tests.router.transports.leavers import PLAIN, SECURED
from tests.router.transports.recording import PATIENCE_S
from tests.router.transports.test_tls import trusting

OF_A_CONNECTION = (Connection, Handshake, Link, Outbox, Session, Splitter)
OURS = ("router.", "clasp_journal.")
TIMES = 3


@pytest.fixture
def config(tmp_path):
    """With a journal in its own process."""
    return RouterConfig(listen=Address("127.0.0.1", 0), journal=str(tmp_path / "show.db"))


@contextlib.contextmanager
def nothing_collected():
    """What was there before is not looked at, and what comes now is left alone."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def names(objects):
    """How many there are of which of our classes."""
    kinds = (type(found) for found in objects)
    return Counter(kind.__qualname__ for kind in kinds if kind.__module__.startswith(OURS))


def connections():
    """What there is of connections, in any state."""
    return names(found for found in gc.get_objects() if isinstance(found, OF_A_CONNECTION))


def garbage():
    """What a collection would have to find."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return names(gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


async def assert_nothing_stays(come_and_go, *where):
    """Several come and go; then they are gone, without help."""
    # What is made once and kept, like a page's parts, is made now.
    await come_and_go(*where)
    with nothing_collected():
        for _ in range(TIMES):
            await come_and_go(*where)
        Peer.connected.clear()
        async with asyncio.timeout(PATIENCE_S):
            while connections():  # noqa: ASYNC110 nobody tells when an object is gone
                await asyncio.sleep(0)
        assert not garbage(), come_and_go.__name__


async def test_who_has_left_is_gone(config):
    """Politely or not, heard or not."""
    async with Router(config) as router:
        for come_and_go in PLAIN:
            await assert_nothing_stays(come_and_go, router.address.port)


async def test_who_has_left_is_gone_also_from_a_journal_beside_the_router(config):
    """There what it asked of the past was worked on in this process."""
    async with Router(config).with_journal(MemoryJournal()) as router:
        for come_and_go in PLAIN:
            await assert_nothing_stays(come_and_go, router.address.port)


async def test_who_came_by_tls_is_gone(tmp_path):
    """Also who never got through its handshake."""
    authority = Authority(tmp_path)
    issued = authority.issue("router")
    config = RouterConfig(listen=Address("127.0.0.1", 0), journal="none", cert=issued.cert, key=issued.key)
    async with Router(config) as router:
        for come_and_go in SECURED:
            await assert_nothing_stays(come_and_go, router.address.port, trusting(authority))
