"""ANNOUNCE and QUERY: what signals there are, as their makers tell. Kept in memory alone.

Law: bounded in number and in bytes; what no RESULT tells is not kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from clasp_journal.address import Pattern, parse_address
from router.core.access import Access, Right
from router.core.answers import result_bytes, results
from router.core.limits import Limits
from router.core.refusal import Refusal
from router.wire.codes import ErrorCode
from router.wire.messages import Announce, SignalDef


class Definitions:
    """Every announced signal by its address; the newest announcement counts."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_address: dict[str, SignalDef] = {}
        self._size_bytes = 0

    def announce(self, request: Announce, access: Access) -> None:
        """Take all of an announcement, or refuse it."""
        new = {parse_address(signal.address): replace(signal, meta=None) for signal in request.signals}
        for address in new:
            access.demand(Right.WRITE, address)
        known = [self._by_address[address] for address in new if address in self._by_address]
        size_bytes = self._size_bytes + sum(map(result_bytes, new.values())) - sum(map(result_bytes, known))
        if len(self._by_address) + len(new) - len(known) > self._limits.definitions:
            raise Refusal(ErrorCode.TOO_MANY, f"{self._limits.definitions} signals are announced already")
        if size_bytes > self._limits.definitions_bytes:
            raise Refusal(ErrorCode.TOO_MANY, "the announced signals have too much text")
        self._by_address.update(new)
        self._size_bytes = size_bytes

    def query(self, pattern: Pattern, access: Access) -> Iterator[bytes]:
        """The packed RESULTs with the signals that a pattern matches, all of which have to be readable."""
        access.demand_all(Right.READ, pattern)
        return results(d if pattern.matches(d.address) else None for d in list(self._by_address.values()))
