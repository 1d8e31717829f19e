"""How long to wait before trying again."""

from __future__ import annotations

import random
from collections.abc import Iterator

FIRST_DELAY_S = 0.1
LAST_DELAY_S = 10.0
GROWTH = 2.0


def delays_s() -> Iterator[float]:
    """Growing waits, each shortened by chance, so that a thousand clients do not come back at once."""
    delay_s = FIRST_DELAY_S
    while True:
        yield delay_s * random.uniform(0.5, 1.0)
        delay_s = min(delay_s * GROWTH, LAST_DELAY_S)
