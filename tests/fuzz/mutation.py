"""Inputs that nobody would send on purpose: known ones, changed at random, joined, cut and stuffed."""

import random
from collections.abc import Sequence

CHANGES_MAX = 4
SIZE_MAX_BYTES = 4_096
NUMBERS = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)


def mutated(data: bytes, pool: Sequence[bytes], words: Sequence[bytes], rng: random.Random) -> bytes:
    """An input with some changes; `words` are what the language in question is made of."""
    content = bytearray(data)
    for _ in range(rng.randint(1, CHANGES_MAX)):
        _change(content, pool, words, rng)
    return bytes(content[:SIZE_MAX_BYTES])


def _change(content: bytearray, pool: Sequence[bytes], words: Sequence[bytes], rng: random.Random) -> None:
    at = rng.randint(0, len(content))
    kind = rng.randrange(8)
    if kind == 0 and at < len(content):
        content[at] ^= 1 << rng.randrange(8)
    elif kind == 1 and at < len(content):
        content[at] = rng.choice(NUMBERS)
    elif kind == 2:
        content[at:at] = rng.randbytes(rng.randint(1, 4))
    elif kind == 3:
        del content[at : at + rng.randint(1, 8)]
    elif kind == 4:
        content[at:at] = content[at : at + rng.randint(1, 32)] * rng.randint(1, 4)
    elif kind == 5:
        other = rng.choice(pool)
        begin = rng.randint(0, len(other))
        content[at:] = other[begin:]
    elif kind == 6 and words:
        content[at:at] = rng.choice(words)
    else:
        content[at : at + 4] = rng.choice((0, 1, 0xFFFF, 1 << 31, (1 << 32) - 1)).to_bytes(4, "big")
