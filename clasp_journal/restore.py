"""The definition of state: what a snapshot and the entries after it amount to.

Laws: entries are outcomes, not requests, so folding knows no conflicts; a kind that it does not know
changes nothing; an address whose param is gone keeps a tombstone with its last revision, because a
revision that was given is never given again. When there are more tombstones than the cap, the oldest is
dropped and `revision_floor` rises to its revision: addresses that are then new start above the floor.
Where a change was forgotten, what is left is folded, and `forgotten_seq` says that it may not be the truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from clasp_journal.entry import EntryKind, JournalEntry, ParamSnapshot
from clasp_journal.forgetting import hides_change

TOMBSTONES_MAX = 1_000_000


class Snapshot(NamedTuple):
    """The state as it was right after entry `at_seq`."""

    at_seq: int
    params: list[ParamSnapshot]
    """Live params and tombstones."""
    revision_floor: int = 0
    taken: int = 0
    """When it was written, in microseconds; 0 if that is not known."""


class KeptSnapshot(NamedTuple):
    """What there is to know about a snapshot without loading it."""

    at_seq: int
    taken: int
    """When it was written, in microseconds; 0 if that is not known."""
    params: int
    """How many, tombstones included."""


class State:
    """Every param, live or gone, at one place in the log."""

    __slots__ = ("forgotten_seq", "live", "revision_floor", "tombstones")

    def __init__(self, params: Iterable[ParamSnapshot] = (), revision_floor: int = 0) -> None:
        self.live: dict[str, ParamSnapshot] = {}
        self.tombstones: dict[str, ParamSnapshot] = {}
        self.revision_floor = revision_floor
        self.forgotten_seq = 0
        """The last entry that may have changed it and was forgotten; 0 if there is none."""
        for param in params:
            (self.tombstones if param.encoded is None else self.live)[param.address] = param

    def apply(self, entry: JournalEntry) -> None:
        """Take one more entry into account."""
        if entry.kind == EntryKind.SET:
            self._set(entry)
        elif entry.kind == EntryKind.EXPIRE:
            self._expire(entry)
        elif entry.kind == EntryKind.FORGET and hides_change(entry):
            self.forgotten_seq = entry.seq

    def params(self) -> list[ParamSnapshot]:
        """All of it, as a snapshot keeps it: the live ones, then the tombstones, oldest first."""
        return [*self.live.values(), *self.tombstones.values()]

    def revision(self, address: str) -> int:
        """The last revision that was given to an address, or the floor if it is not remembered."""
        known = self.live.get(address) or self.tombstones.get(address)
        return known.revision if known else self.revision_floor

    def _set(self, entry: JournalEntry) -> None:
        address = entry.address
        revision = entry.revision
        if revision is None:
            revision = self.revision(address) + 1
        self.tombstones.pop(address, None)
        encoded = entry.encoded if entry.encoded is not None else b"\x00"
        self.live[address] = ParamSnapshot(
            address, encoded, revision, entry.author, entry.timestamp, entry.ttl
        )

    def _expire(self, entry: JournalEntry) -> None:
        address = entry.address
        revision = entry.revision if entry.revision is not None else self.revision(address)
        self.live.pop(address, None)
        self.tombstones.pop(address, None)
        self.tombstones[address] = ParamSnapshot(address, None, revision, entry.author, entry.timestamp)
        while len(self.tombstones) > TOMBSTONES_MAX:
            oldest = self.tombstones.pop(next(iter(self.tombstones)))
            self.revision_floor = max(self.revision_floor, oldest.revision)


def fold(snapshot: Snapshot | None, entries: Iterable[JournalEntry]) -> State:
    """The state after these entries, which follow the snapshot."""
    state = State(snapshot.params, snapshot.revision_floor) if snapshot else State()
    for entry in entries:
        state.apply(entry)
    return state


class Change(NamedTuple):
    """What became of one address between two states; None where there was, or is, no param."""

    address: str
    before: ParamSnapshot | None
    after: ParamSnapshot | None


def diff(before: State, after: State) -> list[Change]:
    """The addresses whose value is not the same to the bit, in order of address."""
    changes = []
    for address in sorted(before.live.keys() | after.live.keys()):
        old, new = before.live.get(address), after.live.get(address)
        if (old and old.encoded) != (new and new.encoded):
            changes.append(Change(address, old, new))
    return changes
