"""Who has come with wrong tokens, and with how many in this minute.

Laws: bounded; when there is no room, the address that has been quiet the longest is forgotten. One token that
comes again and again is one guess: a client that was told a wrong one does not shut out its neighbours.
"""

from __future__ import annotations

from collections import OrderedDict

from router.core.households import household
from router.core.limits import SECOND_US, Limits

_MINUTE_US = 60 * SECOND_US
_DIGITS_KEPT = 16
"""Of the hash of a wrong token: enough to know it again."""


class Guesses:
    """Wrong tokens by the address that they came from."""

    def __init__(self, limits: Limits) -> None:
        self._per_minute = limits.wrong_tokens_per_minute
        self._addresses_max = limits.wrong_token_addresses
        self._guessed: OrderedDict[str, tuple[int, set[str]]] = OrderedDict()
        """When the minute began, and what was wrong in it."""

    def is_over(self, host: str, now: int) -> bool:
        """Whether nobody from there is heard until the minute is over."""
        since, guessed = self._guessed.get(household(host), (now, ()))
        return now - since < _MINUTE_US and len(guessed) >= self._per_minute

    def note(self, host: str, token_hash: str, now: int) -> None:
        """A wrong one came from there."""
        key = household(host)
        since, guessed = self._guessed.pop(key, (now, set()))
        if now - since >= _MINUTE_US:
            since, guessed = now, set()
        guessed.add(token_hash[:_DIGITS_KEPT])
        self._guessed[key] = since, guessed
        if len(self._guessed) > self._addresses_max:
            self._guessed.popitem(last=False)
