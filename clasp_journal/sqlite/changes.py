"""Which entry last changed each address, since one place in the log.

With it the state at the end of the log costs one look per changed address instead of a replay. It is noted
while entries are appended, or from rows that were all checked, so damage to the file cannot make it lie.
"""

from __future__ import annotations

from typing import Any, Self


class Changes:
    """The last SET or EXPIRE of every address that had one after `since_seq`."""

    __slots__ = ("expiries", "forgotten_seq", "last", "regular", "since_seq")

    def __init__(self, since_seq: int) -> None:
        self.since_seq = since_seq
        self.last: dict[int, int] = {}
        self.expiries = 0
        """How many EXPIRE entries there were."""
        self.forgotten_seq = 0
        """The last entry that may have been a change and was forgotten."""
        self.regular = True
        """Whether every change told its revision, so that the last one of an address tells its state."""

    def add(self, last: dict[int, int], expiries: int, *, regular: bool) -> None:
        """Take the changes of a committed batch into account."""
        self.last.update(last)
        self.expiries += expiries
        self.regular = self.regular and regular

    def forget_upto(self, seq: int) -> None:
        """Drop what a snapshot at `seq` covers."""
        if seq > self.since_seq:
            self.since_seq = seq
            self.last = {address_id: at for address_id, at in self.last.items() if at > seq}
            if not self.last:
                self.expiries, self.regular = 0, True

    def copy(self) -> Changes:
        """A copy, which does not follow what is added later."""
        copied = Changes(self.since_seq)
        copied.last = dict(self.last)
        copied.expiries, copied.regular = self.expiries, self.regular
        return copied

    def described(self) -> tuple[Any, ...]:
        """All of it in plain things, for another process."""
        return self.since_seq, self.last, self.expiries, self.forgotten_seq, self.regular

    @classmethod
    def rebuild(cls, described: tuple[Any, ...]) -> Self:
        """The changes that were described."""
        since_seq, last, expiries, forgotten_seq, regular = described
        changes = cls(since_seq)
        changes.last, changes.expiries, changes.regular = last, expiries, regular
        changes.forgotten_seq = forgotten_seq
        return changes
