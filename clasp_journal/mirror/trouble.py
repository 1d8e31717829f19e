"""What goes wrong with a mirror, told in the journal's own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clasp_journal.errors import JournalCorrupt, JournalError, JournalUnavailable
from clasp_journal.mirror.chain import BrokenChain
from clasp_journal.mirror.walking import Break


class MirrorRefused(JournalError):
    """The mirror does not take this append; neither side has changed."""


def broken_mirror(broken: Break) -> JournalCorrupt:
    """What is said of a mirror that cannot be trusted."""
    reason = f"line {broken.line} of the mirror: {broken.reason}"
    return JournalCorrupt(reason, path=broken.file, operation="open", first_bad_seq=broken.seq)


@contextmanager
def telling(path: str, operation: str) -> Iterator[None]:
    """Turn what the system or the chain says into the journal's errors."""
    try:
        yield
    except BrokenChain as broken:
        raise JournalCorrupt(
            broken.reason, path=path, operation=operation, first_bad_seq=broken.seq
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise JournalUnavailable(reason, path=error.filename or path, operation=operation) from error
