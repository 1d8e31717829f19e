"""Where the last entry of each address is, in memory: so the newest entries of thousands of addresses are
found without looking for the end of each in the file.

Only the writer of a journal can know it, which notes what it commits. Of what was written before, it learns
what a search found, when one did. It costs eight bytes per address.

Laws: no address has an entry behind its bound, up to the last number that was noted; a bound may be too
high, since entries go. What is learned late never takes the place of what was noted meanwhile.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock

from clasp_journal.sqlite.clock import Span

_NUMBER = "q"


class Recency:
    """A bound for each address by its id. The writing thread notes, reading threads ask and learn."""

    def __init__(self, latest_seq: int) -> None:
        self.upto_seq = latest_seq
        """What was committed up to here has been noted, or was there before; -1: nothing is known."""
        self._since_seq = latest_seq
        self._bounds = array(_NUMBER)
        self._lock = Lock()

    def note(self, *lasts: Mapping[int, int], upto_seq: int) -> None:
        """Take note of the last entries of addresses in what was committed, which ends with `upto_seq`."""
        with self._lock:
            for last in lasts:
                self._make_room(max(last, default=0))
                bounds = self._bounds
                for address_id, seq in last.items():
                    if bounds[address_id] < seq:
                        bounds[address_id] = seq
            if self.upto_seq >= 0:
                self.upto_seq = upto_seq

    def bounds(self, address_ids: Sequence[int]) -> Iterable[int]:
        """For each of these ids, in ascending order, a number behind which it has no entry; 0: not known."""
        if address_ids:
            with self._lock:
                self._make_room(address_ids[-1])
        return map(self._bounds.__getitem__, address_ids)

    def last_at_most(self, address_id: int) -> int:
        """A number behind which an address has no entry: where nothing was noted, none has come since."""
        (bound,) = self.bounds([address_id])
        return bound or self._since_seq

    def learn(self, address_ids: Iterable[int], found: Mapping[int, int], within: Span) -> None:
        """Remember the last entries within a span that were found of addresses of which nothing was known.

        What nothing was noted of has nothing behind what was there at first, so such a span says all.
        """
        if within.upto_seq < self._since_seq:
            return
        nothing_behind = max(1, within.after_seq)
        with self._lock:
            bounds = self._bounds
            for address_id in address_ids:
                if not bounds[address_id]:
                    bounds[address_id] = found.get(address_id, nothing_behind)

    def loosen(self, address_id: int) -> None:
        """Entries of an address may have come in between; what it ends with is only bounded by the log."""
        self.note({address_id: self.upto_seq}, upto_seq=self.upto_seq)

    def give_up(self) -> None:
        """Entries have come in between: nothing is known, for good."""
        self.upto_seq = -1

    def _make_room(self, address_id: int) -> None:
        missing = address_id + 1 - len(self._bounds)
        if missing > 0:
            self._bounds.frombytes(bytes(missing * self._bounds.itemsize))
