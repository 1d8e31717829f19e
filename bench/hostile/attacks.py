"""The kinds of attack: each is one act, repeated by some attackers until time is up.

Law: everything is bounded, in count and in time, and stays on this machine. A router that hangs up or refuses
has the right to; the attacker then comes again.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

from bench.hostile.session import connected, joined, say
from bench.speech.clasp import UPGRADE, framed
from bench.speech.websocket import masked
from clasp_journal.entry import SignalType
from clasp_journal.value import encode as encode_value
from router.wire.frame import encode_frame
from router.wire.messages import Publish, Set, Subscribe

ATTACKERS_OF_A_KIND = 4
ACT_TIMEOUT_S = 2.0
BREATH_S = 0.01
"""Between two acts of an attacker, so that no kind of attack starves the others in this process."""
FLOOD_FRAMES = 2_000
HALF_OPEN = 50
BIG_BYTES = 60_000

Act = Callable[[int], Awaitable[None]]


async def half_open(port: int) -> None:
    """Connect often and say nothing."""
    async with contextlib.AsyncExitStack() as held:
        for _ in range(HALF_OPEN):
            await held.enter_async_context(connected(port))
        await asyncio.sleep(ACT_TIMEOUT_S / 2)


async def loris(port: int) -> None:
    """Ask for the upgrade letter by letter."""
    async with connected(port) as (_, writer):
        for letter in UPGRADE.say:
            writer.write(bytes((letter,)))
            await asyncio.sleep(BREATH_S)


async def storm(port: int) -> None:
    """Join and be gone."""
    async with joined(port):
        pass


async def never_read(port: int) -> None:
    """Ask for everything, and read nothing of it."""
    async with joined(port) as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(framed(Subscribe(1, "/**")))
        await asyncio.sleep(ACT_TIMEOUT_S / 2)


async def flood(port: int) -> None:
    """Send without a pause, and do not wait for anything."""
    events = [framed(Publish("/flood", SignalType.EVENT, encode_value(n))) for n in range(FLOOD_FRAMES // 2)]
    sets = [framed(Set("/flood/param", encode_value(n)), qos=1) for n in range(FLOOD_FRAMES // 2)]
    async with joined(port) as (reader, writer):
        await say(reader, writer, *events, *sets)


async def bomb(port: int) -> None:
    """Send messages that are as large, or as deep, as they may be, and some that are no messages."""
    nulls = encode_value([None] * BIG_BYTES)
    deep = b"\x0a\x00\x01" * (BIG_BYTES // 3)
    noise = random.randbytes(BIG_BYTES)
    async with joined(port) as (reader, writer):
        await say(
            reader,
            writer,
            framed(Set("/bomb/nulls", nulls)),
            framed(Set("/bomb/deep", deep)),
            masked(encode_frame(noise)),
            masked(noise),
            masked(bytes((0xDD, *BIG_BYTES.to_bytes(4, "big"))) + bytes(BIG_BYTES // 2)),
        )


async def subscribe_often(port: int) -> None:
    """Subscribe more often than is allowed, and again under the same numbers."""
    wishes = [framed(Subscribe(number, f"/many/{number}/**")) for number in range(1, 1_200)]
    async with joined(port) as (reader, writer):
        await say(reader, writer, *wishes, *wishes[:500])


async def pattern_bomb(port: int) -> None:
    """Subscribe to patterns that are hard to match, and publish what almost matches them."""
    rng = random.Random(0)
    hard = ["/" + "/".join(rng.choice(("**", "*", "a*a*a", "a")) for _ in range(60)) for _ in range(100)]
    near = ["/" + "/".join("a" * rng.randint(1, 3) for _ in range(60)) for _ in range(3)]
    async with joined(port) as (reader, writer):
        await say(reader, writer, *(framed(Subscribe(number, text)) for number, text in enumerate(hard, 1)))
        value = encode_value(None)
        await say(reader, writer, *(framed(Publish(text, SignalType.EVENT, value)) for text in near))


async def invent(port: int) -> None:
    """Give values to addresses that nobody has heard of, and will not again."""
    start = random.randrange(1 << 60)
    async with joined(port) as (reader, writer):
        sets = [framed(Set(f"/invented/{start + n:x}", encode_value(n))) for n in range(FLOOD_FRAMES // 4)]
        await say(reader, writer, *sets)


ACTS: tuple[Act, ...] = (
    half_open,
    loris,
    storm,
    never_read,
    flood,
    bomb,
    subscribe_often,
    pattern_bomb,
    invent,
)


async def attack_all(port: int, seconds: float) -> dict[str, int]:
    """Let some attackers of every kind act until time is up; how often each kind did."""
    until_s = asyncio.get_running_loop().time() + seconds
    done = {act.__name__: 0 for act in ACTS}

    async def repeat(act: Act) -> None:
        while asyncio.get_running_loop().time() < until_s:
            try:
                async with asyncio.timeout(ACT_TIMEOUT_S):
                    await act(port)
            except (OSError, EOFError, TimeoutError):
                pass  # Refused, hung up on, or made to wait: all of it is the router's good right.
            done[act.__name__] += 1
            await asyncio.sleep(BREATH_S)

    await asyncio.gather(*(repeat(act) for act in ACTS for _ in range(ATTACKERS_OF_A_KIND)))
    return done
