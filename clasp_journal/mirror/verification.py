"""Whether a mirror is what was written: the first broken line with its reason, or the hash at its end.

What the chain cannot tell is that whole lines were cut off its end: `parity` with the journal does. And
whoever can write the file can also make a new chain: against that checkpoints are signed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from clasp_journal.errors import JournalUnavailable
from clasp_journal.mirror.signing import Verifier
from clasp_journal.mirror.walking import Break, Torn, Walk

REPORT_EVERY_LINES = 5_000


class ChainReport(NamedTuple):
    """What was found."""

    entries: int
    first_seq: int
    last_seq: int
    epoch: str
    head: str
    """The hash of the last good line."""
    files: int
    forgotten: int
    """Entries of which only the digest is left."""
    signed_upto_seq: int
    torn: Torn | None
    broken: Break | None

    @property
    def is_intact(self) -> bool:
        """Whether every line follows from the one before; a torn end is no damage."""
        return self.broken is None


def verify_chain(
    file: str | os.PathLike[str],
    *,
    key_file: str | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> ChainReport:
    """Read all of a mirror, also beside its writer. With a key every checkpoint has to be signed with it."""
    verifier = Verifier(key_file) if key_file is not None else None
    path = os.fspath(file)
    try:
        walk = Walk(path, verifier)
        for count, _ in enumerate(walk, 1):
            if on_progress is not None and count % REPORT_EVERY_LINES == 0:
                on_progress(REPORT_EVERY_LINES)
    except OSError as error:
        raise JournalUnavailable(error.strerror or str(error), path=path, operation="verify") from error
    not_counted = walk.chain.seq - walk.torn.seq + 1 if walk.torn is not None else 0
    return ChainReport(
        walk.entries - not_counted,
        walk.first_seq,
        walk.chain.seq - not_counted,
        walk.chain.epoch,
        walk.chain.head.hex(),
        len(walk.files),
        walk.forgotten,
        walk.signed_upto_seq,
        walk.torn,
        walk.broken,
    )
