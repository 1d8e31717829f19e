"""The digest of an entry: the same in a mirror's line, an export, and for whoever asks.

Law: it covers everything that the entry holds, number and time included: entries have the same digest when
and only when they are the same to the bit.
"""

from __future__ import annotations

from clasp_journal.entry import JournalEntry
from clasp_journal.mirror.chain import digest_of
from clasp_journal.mirror.lines import body_of


def digest_of_entry(entry: JournalEntry) -> bytes:
    """BLAKE2b-256 over the text that the entry has as a line of a mirror."""
    return digest_of(body_of(entry, entry.seq).encode())
