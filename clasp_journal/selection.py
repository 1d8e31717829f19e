"""Which entries somebody asks for.

Law: `Selection.matches` is the definition; a backend may find the same entries faster.
"""

from __future__ import annotations

from dataclasses import dataclass

from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind, JournalEntry, SignalType

EVERYTHING = Pattern.parse("/**")
NO_ADDRESS = Pattern("", ("",))
"""What has no address, and nothing else. No text spells it."""
MESSAGES = frozenset((int(EntryKind.SET), int(EntryKind.PUBLISH)))
"""The kinds that came over the wire; the rest are the journal's own."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A pattern and what narrows it down. None narrows nothing; time bounds are inclusive."""

    pattern: Pattern = EVERYTHING
    from_us: int | None = None
    to_us: int | None = None
    types: frozenset[SignalType] | None = None
    """With types given, the journal's own kinds, which have none, are left out."""
    author: str | None = None
    """A subject or session id, or the name a client gave itself."""
    kinds: frozenset[int] | None = None

    def matches(self, entry: JournalEntry) -> bool:
        """Whether an entry is asked for. Without an address only `/**` and `NO_ADDRESS` match."""
        return (
            (self.from_us is None or entry.timestamp >= self.from_us)
            and (self.to_us is None or entry.timestamp <= self.to_us)
            and (self.kinds is None or entry.kind in self.kinds)
            and (self.types is None or entry.signal_type in self.types)
            and (self.author is None or self.author in (entry.author, entry.name))
            and self.matches_address(entry.address)
        )

    def matches_address(self, address: str) -> bool:
        """Whether entries of this address can be asked for at all."""
        if not address or self.pattern is NO_ADDRESS:
            return not address and self.pattern in (EVERYTHING, NO_ADDRESS)
        return self.pattern.matches(address)


FORGOTTEN = Selection(NO_ADDRESS, kinds=frozenset((int(EntryKind.FORGET),)))
"""What stands for entries that were forgotten, and the acts of forgetting."""
THINNINGS = Selection(NO_ADDRESS, kinds=frozenset((int(EntryKind.REMOVED),)))
"""Where retention removed something, and the acts of thinning."""
