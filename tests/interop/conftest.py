"""A router, and the published clients, for one test each."""

import pytest

from tests.interop.node_peer import node_peer
from tests.interop.router_process import running_router


@pytest.fixture
async def router(tmp_path):
    """A router in a process of its own, with a journal."""
    async with running_router(tmp_path) as running:
        yield running


@pytest.fixture
async def node():
    """The published JavaScript client, in a node process."""
    async with node_peer() as peer:
        yield peer
