"""ANNOUNCE and QUERY: what signals there are, as their makers tell. Kept in memory alone.

Law: bounded in number and in bytes, for all and for one author; what a RESULT has no room for is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from clasp_journal.address import Pattern, parse_address
from router.core.access import Access, Right
from router.core.answers import result_bytes, results
from router.core.limits import Limits
from router.core.session import Session
from router.core.shares import Shares
from router.wire.messages import Announce, SignalDef


class Definitions:
    """Every announced signal by its address; the newest announcement counts."""

    def __init__(self, limits: Limits) -> None:
        self._by_address: dict[str, SignalDef] = {}
        self._authors: dict[str, str] = {}
        """Whose announcement counts, by address."""
        self._count = Shares("signals are announced", limits.definitions, limits)
        self._text = Shares("bytes of text are announced", limits.definitions_bytes, limits)

    def announce(self, request: Announce, session: Session) -> None:
        """Take all of an announcement, or refuse it."""
        new = {parse_address(signal.address): replace(signal, meta=None) for signal in request.signals}
        for address in new:
            session.access.demand(Right.WRITE, address)
        author, replaced = session.author, [address for address in new if address in self._by_address]
        own = [address for address in replaced if self._authors[address] == author]
        count, size_bytes = len(new), sum(map(result_bytes, new.values()))
        self._count.demand(author, count - len(own), in_all=count - len(replaced))
        self._text.demand(
            author, size_bytes - self._bytes_of(own), in_all=size_bytes - self._bytes_of(replaced)
        )
        for address in replaced:
            self._count.take(self._authors[address], -1)
            self._text.take(self._authors[address], -result_bytes(self._by_address[address]))
        self._count.take(author, count)
        self._text.take(author, size_bytes)
        self._by_address.update(new)
        self._authors.update(dict.fromkeys(new, author))

    def _bytes_of(self, addresses: Iterable[str]) -> int:
        return sum(result_bytes(self._by_address[address]) for address in addresses)

    def query(self, pattern: Pattern, access: Access) -> Iterator[bytes]:
        """The packed RESULTs with the signals that a pattern matches, all of which have to be readable; and
        still be so when they have their turn."""
        access.demand_all(Right.READ, pattern)
        return results(self._matching(pattern, access))

    def _matching(self, pattern: Pattern, access: Access) -> Iterator[SignalDef | None]:
        # A generator, so that the copy is made when the first is looked at: queries that wait hold none.
        for definition in list(self._by_address.values()):
            address = definition.address
            is_told = pattern.matches(address) and access.may(Right.READ, address)
            yield definition if is_told else None
