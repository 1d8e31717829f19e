"""What scopes open, found out by trying: no coverage is decided here, every short address is looked at."""

from __future__ import annotations

import itertools
import random
from typing import NamedTuple

from clasp_journal.address import Pattern

RIGHTS = ("read", "write", "history", "admin")
GIVES = {
    "read": ("read",),
    "write": ("read", "write"),
    "history": ("history",),
    "admin": RIGHTS,
}
WORDS = ("a", "b", "ab", "x")
SEGMENTS = ("a", "b", "x", "*", "*", "**", "**", "a*", "*b")
PATHS = [path for count in (1, 2, 3) for path in itertools.product(("a", "b", "ab"), repeat=count)]
WORLD = sorted({"/", "/a/", *("/" + "/".join(path) for path in PATHS if len(path) < 3 or path[0] == "a")})
"""The addresses that have a value, a definition and a past."""
TRIED = [
    "/" + "/".join((*path, last))
    for count in range(4)
    for path in itertools.product(WORDS, repeat=count)
    for last in (*WORDS, "")
]
"""Enough addresses to tell apart all patterns of at most three segments."""


class Case(NamedTuple):
    """One token, and what is asked with it."""

    scopes: tuple[str, ...]
    pattern: str
    address: str

    def opens(self, right: str, address: str) -> bool:
        """Whether one address is open."""
        return any(Pattern.parse(text).matches(address) for text in self._held(right))

    def opens_all(self, right: str) -> bool:
        """Whether every address is open that the pattern matches."""
        asked = Pattern.parse(self.pattern)
        return all(self.opens(right, address) for address in TRIED if asked.matches(address))

    def opens_everything(self, right: str) -> bool:
        """Whether there is nothing that is not open."""
        return all(self.opens(right, address) for address in TRIED)

    def opens_some(self, right: str) -> bool:
        """Whether there is a scope for it at all."""
        return bool(self._held(right))

    def world(self, right: str) -> list[str]:
        """What is open of the world."""
        return [address for address in WORLD if self.opens(right, address)]

    @property
    def matched(self) -> list[str]:
        """What the pattern matches of the world."""
        asked = Pattern.parse(self.pattern)
        return [address for address in WORLD if asked.matches(address)]

    def _held(self, right: str) -> list[str]:
        return [
            pattern
            for given, _, pattern in (scope.partition(":") for scope in self.scopes)
            if right in GIVES[given]
        ]


def draw_cases(seed: int, count: int) -> list[Case]:
    """Random cases, in half of which the pattern has something to do with a scope."""
    chance = random.Random(seed)
    return [_draw(chance) for _ in range(count)]


def _draw(chance: random.Random) -> Case:
    held = [(chance.choice(RIGHTS), _pattern(chance)) for _ in range(chance.randint(1, 4))]
    pattern = _pattern(chance)
    if chance.random() < 0.5:
        wide = chance.choice(held)[1]
        pattern = wide if chance.random() < 0.5 else wide.replace("**", chance.choice(("*", "a", "a*")), 1)
    return Case(tuple(f"{right}:{text}" for right, text in held), pattern, chance.choice(WORLD))


def _pattern(chance: random.Random) -> str:
    return "/" + "/".join(chance.choice(SEGMENTS) for _ in range(chance.randint(1, 3)))
