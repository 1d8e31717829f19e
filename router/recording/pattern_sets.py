"""Sets of addresses that no one pattern describes, in the shape of a pattern a journal can be asked for.

Law: the text of such a set begins like no pattern does and belongs to it alone; journals remember by it which
addresses were matched.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import count

from clasp_journal.address import Pattern
from clasp_journal.selection import EVERYTHING

_numbers = count(1)


class AnyOf(Pattern):
    """Matches what one of several patterns matches."""

    __slots__ = ("_patterns",)

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        super().__init__(f"any of {[pattern.text for pattern in patterns]!r}", ())
        self.prefix = _shared_prefix([pattern.prefix for pattern in patterns])
        self._patterns = tuple(patterns)

    @property
    def is_literal(self) -> bool:
        return False

    def matches(self, address: str) -> bool:
        return any(pattern.matches(address) for pattern in self._patterns)


class Without(Pattern):
    """Matches what a pattern matches, some addresses excepted."""

    __slots__ = ("_excepted", "_pattern")

    def __init__(self, pattern: Pattern, excepted: Collection[str]) -> None:
        super().__init__(f"without {next(_numbers)}", ())
        self.prefix = pattern.prefix
        self._pattern = pattern
        self._excepted = frozenset(excepted)

    @property
    def is_literal(self) -> bool:
        return False

    def matches(self, address: str) -> bool:
        return address not in self._excepted and self._pattern.matches(address)


def pattern_of(texts: Sequence[str]) -> Pattern:
    """One pattern for several."""
    patterns = [Pattern.parse(text) for text in dict.fromkeys(texts)]
    if len(patterns) == 1:
        return patterns[0]
    return EVERYTHING if EVERYTHING in patterns else AnyOf(patterns)


def _shared_prefix(texts: Sequence[str]) -> str:
    if not texts:
        return ""
    first, last = min(texts), max(texts)
    for at, letter in enumerate(first):
        if letter != last[at]:
            return first[:at]
    return first
