"""The digest of an entry: the same in a mirror's line, an export, and for whoever asks.

Law: it covers everything that the entry holds, number and time included: entries have the same digest when
and only when they are the same to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping

from clasp_journal.entry import JournalEntry
from clasp_journal.journal import Journal, Results, Span
from clasp_journal.mirror.chain import digest_of
from clasp_journal.mirror.lines import body_of
from clasp_journal.selection import Selection


def digest_of_entry(entry: JournalEntry) -> bytes:
    """BLAKE2b-256 over the text that the entry has as a line of a mirror."""
    return digest_of(body_of(entry, entry.seq).encode())


async def verify_digests(journal: Journal, digests: Mapping[int, bytes]) -> list[int]:
    """The numbers, of those for which somebody kept a digest, whose entry is another one now, or is gone."""
    unseen = dict(digests)
    span = Span(min(digests, default=1) - 1, max(digests, default=0))
    async for page in Results(journal, Selection(), span=span).pages():
        for entry in page:
            if entry.seq in unseen and digest_of_entry(entry) == unseen[entry.seq]:
                del unseen[entry.seq]
    return sorted(unseen)
