"""ANNOUNCE and QUERY: what signals there are, as their makers tell. Kept in memory alone."""

from __future__ import annotations

from collections.abc import Iterator

from clasp_journal.address import Pattern, parse_address
from router.core.answers import results
from router.core.limits import Limits
from router.core.refusal import Refusal
from router.wire.codes import ErrorCode
from router.wire.messages import Announce, SignalDef


class Definitions:
    """Every announced signal by its address; the newest announcement counts."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_address: dict[str, SignalDef] = {}

    def announce(self, request: Announce) -> None:
        """Take all of an announcement, or refuse it."""
        new = {parse_address(signal.address): signal for signal in request.signals}
        added = sum(address not in self._by_address for address in new)
        if len(self._by_address) + added > self._limits.definitions:
            raise Refusal(ErrorCode.TOO_MANY, f"{self._limits.definitions} signals are announced already")
        self._by_address.update(new)

    def query(self, pattern: Pattern) -> Iterator[bytes]:
        """The packed RESULTs with the signals that a pattern matches."""
        found = [d for address, d in self._by_address.items() if pattern.matches(address)]
        return results(found)
