"""When and where an entry is played again: its place in a new time, its address under a new root.

Laws: at speed 1 the spans between entries are those of the record, to the microsecond, however long the
playing itself takes; where a clock went back, there is no wait; the order is that of the journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from clasp_journal.address import parse_address
from clasp_journal.errors import BadInput


class Pace(NamedTuple):
    """How fast: a factor, or None for as fast as it goes; and no wait longer than `max_gap_us`."""

    speed: float | None = 1.0
    max_gap_us: int | None = None


AS_RECORDED = Pace()
AT_ONCE = Pace(None)


class Timetable:
    """When each entry is due, counted from the first."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._last_us: int | None = None
        self._due_us = 0.0

    def due_us(self, at_us: int) -> float:
        """When the next entry, recorded at `at_us`, is due."""
        speed, max_gap_us = self._pace
        if speed is not None and self._last_us is not None:
            gap_us = max(0, at_us - self._last_us) / speed
            self._due_us += gap_us if max_gap_us is None else min(gap_us, max_gap_us)
        self._last_us = at_us
        return self._due_us


class Renaming(NamedTuple):
    """Addresses at or below `old` stand at or below `new`; "" is the root of all."""

    old: str
    new: str

    def renamed(self, address: str) -> str | None:
        """The address in its new place; None if it does not lie there."""
        if address == self.old or address.startswith(self.old + "/"):
            return self.new + address[len(self.old) :]
        return None


def parse_renaming(text: str) -> Renaming:
    """The renaming that `/old=/new` means; otherwise `BadInput`."""
    old, equals, new = text.partition("=")
    if not equals:
        raise BadInput(f"{text!r} is no renaming; examples: /stage=/rehearsal, /=/evening-1")
    if "*" in text:
        raise BadInput(
            f"{text!r}: a renaming moves whole subtrees and knows no wildcards; an example: /stage=/rehearsal"
        )
    return Renaming(_root(old), _root(new))


def renamed(address: str, renamings: Iterable[Renaming]) -> str:
    """The address after the first renaming that concerns it."""
    for renaming in renamings:
        found = renaming.renamed(address)
        if found is not None:
            return found or "/"
    return address


def _root(text: str) -> str:
    if text == "/":
        return ""
    parse_address(text)
    return text.removesuffix("/")
