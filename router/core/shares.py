"""A bounded amount of something, of which nobody may have more than a share.

Law: whoever takes too much is refused before anything is changed; an author who has nothing takes no room.
"""

from __future__ import annotations

from router.core.limits import Limits
from router.core.refusal import Refusal
from router.wire.codes import ErrorCode


class Shares:
    """How much there is of it, and how much of that each author has."""

    def __init__(self, what: str, most: int, limits: Limits) -> None:
        """`what` stands in sentences like `10 bundles are waiting already`."""
        self._what = what
        self._most = most
        self._one_may_have = max(1, most * limits.one_author_percent // 100)
        self._taken = 0
        self._by_author: dict[str, int] = {}

    def demand(self, author: str, more: int, *, in_all: int | None = None) -> None:
        """Refuse an author who takes so much more; `in_all`, where it is taken from others in part."""
        if self._taken + (more if in_all is None else in_all) > self._most:
            raise Refusal(ErrorCode.TOO_MANY, f"{self._most:,} {self._what} already")
        if self._by_author.get(author, 0) + more > self._one_may_have:
            raise Refusal(ErrorCode.TOO_MANY, f"{self._one_may_have:,} {self._what} already by one author")

    def take(self, author: str, amount: int) -> None:
        """An author has so much more, or less."""
        self._taken += amount
        left = self._by_author.pop(author, 0) + amount
        if left:
            self._by_author[author] = left
