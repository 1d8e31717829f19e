"""Who has come with wrong tokens, and how often in this minute.

Law: bounded; when there is no room, the address that has been quiet the longest is forgotten.
"""

from __future__ import annotations

from collections import OrderedDict

from router.core.households import household
from router.core.limits import SECOND_US, Limits

_MINUTE_US = 60 * SECOND_US


class Guesses:
    """Wrong tokens by the address that they came from."""

    def __init__(self, limits: Limits) -> None:
        self._per_minute = limits.wrong_tokens_per_minute
        self._addresses_max = limits.wrong_token_addresses
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """When the minute began, and how many there were in it."""

    def is_over(self, host: str, now: int) -> bool:
        """Whether so many wrong ones came from there that none is looked at until the minute is over."""
        since, count = self._counts.get(household(host), (now, 0))
        return now - since < _MINUTE_US and count >= self._per_minute

    def note(self, host: str, now: int) -> None:
        """Take note of a wrong token from this host."""
        key = household(host)
        since, count = self._counts.pop(key, (now, 0))
        self._counts[key] = (since, count + 1) if now - since < _MINUTE_US else (now, 1)
        if len(self._counts) > self._addresses_max:
            self._counts.popitem(last=False)
