"""Frames that are almost good: whatever arrives, the router answers or ignores it and goes on."""

import json
import random
from pathlib import Path

import pytest

from router.core.limits import Limits
from router.wire.frame import FLAG_TIMESTAMP, PAYLOAD_MAX_BYTES
from router.wire.messages import Ping, Pong
from tests.e2e.conftest import Dial
from tests.e2e.peer import Peer, packed
from tests.e2e.router_process import RouterProcess

LIMITS = Limits()
FRAMES = [
    bytes.fromhex(row["hex"])
    for row in json.loads((Path(__file__).parents[1] / "vectors" / "frames.json").read_text())
]
PER_SESSION = 400
"""Fewer than the bad messages that end a connection."""


def mutate(frame: bytes, rng: random.Random) -> bytes:
    """The same frame with some bytes changed, cut off, doubled or put in; its length mostly right again."""
    mutated = bytearray(frame)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(mutated) + 1)
        act = rng.randrange(4)
        if act == 0 and at < len(mutated):
            mutated[at] = rng.randrange(256)
        elif act == 1:
            del mutated[at:]
        elif act == 2:
            mutated[at:at] = rng.randbytes(rng.randint(1, 4))
        else:
            mutated[at:at] = mutated[at : at + rng.randint(1, 20)]
    if len(mutated) > 4 and rng.random() < 0.8:
        head_bytes = 12 if mutated[1] & FLAG_TIMESTAMP else 4
        mutated[2:4] = max(0, min(PAYLOAD_MAX_BYTES, len(mutated) - head_bytes)).to_bytes(2)
    return bytes(mutated[: LIMITS.message_bytes])


@pytest.mark.parametrize("sessions", [10, pytest.param(1_000, marks=pytest.mark.soak)])
async def test_no_almost_good_frame_breaks_anything(router: RouterProcess, dial: Dial, sessions: int):
    """Every known frame, mutated: each session is answered to its end, and others are served as ever."""
    bystander = await dial(router, "bystander")
    for number in range(sessions):
        rng = random.Random(f"session {number}")
        peer = await Peer.connect(router.port)
        for _ in range(PER_SESSION):
            await peer.say_frame(mutate(rng.choice(FRAMES), rng))
        await until_answered(peer)
        peer.hang_up()
        assert (await bystander.set("/bystander", number)).revision == number + 1
    assert "could not be handled" not in router.log


async def until_answered(peer: Peer) -> None:
    """Read until the router has dealt with everything."""
    await peer.say_bytes(packed(Ping()) * 2)
    pongs = 0
    while pongs < 2:
        pongs += isinstance((await peer.hear_any()).message, Pong)
