"""Honest peers do not notice hostile ones: what is sent to them comes, all of it and in order."""

import asyncio
import sys
from pathlib import Path

from bench.hostile.honest import converse
from tests.e2e.conftest import Dial
from tests.e2e.router_process import RouterProcess

SECONDS = 3.0
PEERS = 50
GROWN_BYTES_MAX = 256 << 20
"""What their outboxes, subscriptions and params may take together."""
PROJECT = Path(__file__).parents[2]


async def test_honest_peers_lose_nothing_while_others_attack(router: RouterProcess, dial: Dial):
    """Half-open, slow, deaf, flooding, bombing, inventing and coming back: the rest goes on as ever."""
    before = router.resident_bytes()
    command = (sys.executable, "-m", "bench.hostile", str(router.port), str(SECONDS))
    attackers = await asyncio.create_subprocess_exec(*command, cwd=PROJECT, stdout=asyncio.subprocess.PIPE)
    outcome = await converse(router.port, SECONDS, PEERS)
    told, _ = await attackers.communicate()
    assert attackers.returncode == 0
    assert (outcome.lost, outcome.disordered) == (0, 0), told
    assert router.resident_bytes() - before < GROWN_BYTES_MAX
    peer = await dial(router)
    assert (await peer.set("/honest/after", 1)).revision == 1
    await router.until_ready()
